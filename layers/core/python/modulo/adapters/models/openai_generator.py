"""Answers from any OpenAI-compatible chat model."""

import json
import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from modulo.adapters.models.event_decoder import ServerSentEvent
from modulo.adapters.models.http_api import ModelApi
from modulo.adapters.models.replies import (
    ReplyPart,
    broken_off,
    declined,
    draft_of,
    not_in_format,
    reservation,
    streamed_draft,
    usage_of,
)
from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage
from modulo.domain.answers.prompt import messages
from modulo.domain.errors import RefusedByModel, Throttled, Unavailable

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret

log = logging.getLogger(__name__)
Result = TypeVar("Result")

FORMAT = "a chat completion"
STREAM: Final = {"stream": True, "stream_options": {"include_usage": True}}
_OPTIONAL = ("temperature", "max_tokens", "stream_options")
_CUT_SHORT = ("length",)
_DECLINED = ("content_filter",)
_LENGTHS = ("max_tokens", "max_completion_tokens")


class OpenAIGenerator:
    """A generator behind POST {url}/chat/completions."""

    def __init__(
        self, url: str, *, api_key: "str | Secret | None", model: str, max_tokens: int, timeout: float
    ) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._max_tokens = max_tokens
        self._api = ModelApi(url, api_key=api_key, timeout=timeout, dependency="generator")
        self._options: dict[str, Any] = dict.fromkeys(("temperature", "max_tokens"))
        self._stream_options: dict[str, Any] = dict(STREAM)

    def reserve(self, prompt: Prompt) -> int:
        """The estimated tokens of the prompt, plus a quarter to be safe, plus the longest answer."""
        return reservation(prompt, self._max_tokens)

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The model's reply; tokens are estimated if the server does not report them."""
        answer = self._accepted(prompt, lambda asked: self._api.post("/chat/completions", self._body(asked)))
        reply, cut_short = _reply(answer)
        return draft_of(prompt, reply, cut_short=cut_short, max_tokens=self._max_tokens, counted=_tokens(answer))

    def stream(self, prompt: Prompt) -> Generator[DraftPart, None, None]:
        """The model's reply as it comes."""
        with closing(self._accepted(prompt, self._chunks)) as chunks:
            parts = (ReplyPart(*_delta(chunk), _tokens(chunk)) for chunk in chunks)
            yield from streamed_draft(
                prompt, parts, max_tokens=self._max_tokens, cut_short=_CUT_SHORT, declining=_DECLINED
            )

    def ping(self) -> None:
        """Request the list of models."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        chat = [{"role": message.role, "content": message.content} for message in messages(prompt)]
        asked = {"temperature": prompt.options.temperature}
        asked |= dict.fromkeys(_LENGTHS, prompt.options.bound(self._max_tokens))
        return {"model": self._model, "messages": chat, **{name: asked[name] for name in self._options}}

    def _chunks(self, prompt: Prompt) -> "_Chunks":
        """The chunks of an answer that has begun."""
        return _Chunks(self._api.stream("/chat/completions", self._body(prompt) | self._stream_options))

    def _accepted(self, prompt: Prompt, send: Callable[[Prompt], Result]) -> Result:
        """Send the request; an option that the model refuses is left out from then on.

        A temperature that one client asked for is left out for that client's request alone.
        """
        for _ in (*_OPTIONAL, "an asked temperature"):
            try:
                return send(prompt)
            except RefusedByModel as refused:
                if refused.param == "temperature" and prompt.options.leaves_to_chance:
                    log.info("model %s refuses the temperature %s", self._model, prompt.options.temperature)
                    prompt = replace(prompt, options=replace(prompt.options, temperature=0.0))
                    continue
                if not self._leave_out(refused.param):
                    raise
                log.info("model %s refuses the option %s; it is no longer sent", self._model, refused.param)
        return send(prompt)

    def _leave_out(self, param: str | None) -> bool:
        """Whether the refused option is one of ours, which is no longer sent.

        OpenAI's newer models call `max_tokens` by another name.
        """
        for options in (self._options, self._stream_options):
            if param in _OPTIONAL and param in options:
                rest = {name: value for name, value in options.items() if name != param}
                if param == "max_tokens":
                    rest["max_completion_tokens"] = None
                if options is self._options:
                    self._options = rest
                else:
                    self._stream_options = rest
                return True
        return False


class _Chunks:
    """The chunks of a streamed answer; made once the provider has accepted the request."""

    def __init__(self, events: Generator[ServerSentEvent, None, None]) -> None:
        self._events = events
        self._first = next(events, None)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        event = self._first
        while event is not None and not event.data.startswith("[DONE]"):
            yield _chunk(event.data)
            event = next(self._events, None)

    def close(self) -> None:
        """Close the connection."""
        self._events.close()


def _chunk(data: str) -> Mapping[str, Any]:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise not_in_format(FORMAT) from None
    if not isinstance(chunk, dict):
        raise not_in_format(FORMAT)
    if error := chunk.get("error"):
        raise _broken_off(error)
    return chunk


def _broken_off(error: Any) -> Throttled | Unavailable:
    """What a provider says in the middle of an answer; its message is never read, as it may quote a tenant's text."""
    kind = error.get("code") or error.get("type") if isinstance(error, dict) else None
    log.warning("the generator broke off its answer: %s", str(kind)[:80])
    if kind in ("rate_limit_exceeded", 429):
        return Throttled("The generator's rate limit is reached: try again later.", dependency="generator")
    return broken_off()


def _delta(chunk: Mapping[str, Any]) -> tuple[str, str | None]:
    """A chunk's text and, in the last one with any, why the model stopped."""
    choices = chunk.get("choices")
    if not choices:
        return "", None
    try:
        choice = choices[0]
        content, reason = (choice.get("delta") or {}).get("content"), choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError):
        raise not_in_format(FORMAT) from None
    if not isinstance(content, str | None):
        raise not_in_format(FORMAT)
    return content or "", reason


def _reply(answer: Any) -> tuple[str, bool]:
    """The text, and whether the token limit cut it short."""
    try:
        choice = answer["choices"][0]
        content, reason = choice["message"].get("content"), choice.get("finish_reason")
    except (LookupError, TypeError, AttributeError):
        raise not_in_format(FORMAT) from None
    if reason in _DECLINED or not isinstance(content, str):
        raise declined()
    return content, reason in _CUT_SHORT


def _tokens(answer: Any) -> TokenUsage | None:
    try:
        return usage_of(answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
    except (LookupError, TypeError):
        return None
