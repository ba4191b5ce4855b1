"""Answers by any OpenAI-compatible chat model."""

import logging
from typing import Any

from modulo.adapters.model_http import ModelApi
from modulo.domain.answer import Draft, Prompt, Tokens
from modulo.domain.errors import BadModelAnswer, RefusedByModel
from modulo.domain.prompt import answer_of, messages, prompt_tokens
from modulo.domain.tokens import estimate

log = logging.getLogger(__name__)


class OpenAIGenerator:
    """POST {url}/chat/completions."""

    def __init__(self, url: str, *, api_key: str | None, model: str, max_tokens: int, timeout: float) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._max_tokens = max_tokens
        self._api = ModelApi(url, api_key=api_key, timeout=timeout, dependency="generator")
        self._options: dict[str, float] = {"temperature": 0, "max_tokens": max_tokens}

    def reserve(self, prompt: Prompt) -> int:
        """An estimate of the prompt, a quarter more to be safe, and the longest answer."""
        return prompt_tokens(prompt) * 5 // 4 + self._max_tokens

    def generate(self, prompt: Prompt) -> Draft:
        """The model's reply; its tokens are estimated where the server does not count them."""
        chat = [{"role": message.role, "content": message.content} for message in messages(prompt)]
        answer = self._ask({"model": self._model, "messages": chat})
        reply, cut_short = _reply(answer)
        text = answer_of(reply, cut_short=cut_short)
        if cut_short and not text:
            raise BadModelAnswer("The generator ran out of tokens before its first sentence ended.")
        return Draft(text, _tokens(answer) or Tokens(prompt_tokens(prompt), estimate(reply)))

    def ping(self) -> None:
        """Ask for the list of models."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _ask(self, body: dict[str, Any]) -> Any:
        """Ask; options that the model does not take are done without, from then on."""
        for _ in self._options:
            try:
                return self._api.post("/chat/completions", body | self._options)
            except RefusedByModel as refused:
                options = _without(self._options, refused.param)
                if options is None:
                    raise
                log.info("%s does not take %s", self._model, refused.param)
                self._options = options
        return self._api.post("/chat/completions", body | self._options)


def _without(options: dict[str, float], param: str | None) -> dict[str, float] | None:
    """Options without the one refused; OpenAI's newer models know its limit by another name."""
    if param not in ("temperature", "max_tokens") or param not in options:
        return None
    rest = {name: value for name, value in options.items() if name != param}
    return rest | {"max_completion_tokens": options[param]} if param == "max_tokens" else rest


def _reply(answer: Any) -> tuple[str, bool]:
    """The text, and whether it was cut short."""
    try:
        choice = answer["choices"][0]
        content, reason = choice["message"].get("content"), choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError):
        raise BadModelAnswer("The generator's answer does not have the form of a chat completion.") from None
    cut_short = reason == "length"
    if reason == "content_filter" or not isinstance(content, str) or (not content.strip() and not cut_short):
        raise BadModelAnswer("The generator declined to answer.")
    return content, cut_short


def _tokens(answer: Any) -> Tokens | None:
    try:
        prompt, completion = int(answer["usage"]["prompt_tokens"]), int(answer["usage"]["completion_tokens"])
    except (LookupError, TypeError, ValueError, OverflowError):
        return None
    return Tokens(prompt, completion) if min(prompt, completion) >= 0 else None
