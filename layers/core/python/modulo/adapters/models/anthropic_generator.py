"""Answers from Anthropic's Messages API."""

import json
import logging
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

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
from modulo.domain.errors import Throttled, Unavailable

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret

log = logging.getLogger(__name__)
FORMAT = "the Messages API"
VERSION: Final = b"2023-06-01"
_CUT_SHORT = ("max_tokens", "model_context_window_exceeded")
_DECLINED = ("refusal",)
_BUSY = ("rate_limit_error", "overloaded_error")


class AnthropicGenerator:
    """A generator behind POST {url}/messages."""

    def __init__(
        self, url: str, *, api_key: "str | Secret | None", model: str, max_tokens: int, timeout: float
    ) -> None:
        self.name = f"anthropic:{model}"
        self._model = model
        self._max_tokens = max_tokens
        headers = {b"anthropic-version": VERSION}
        self._api = ModelApi(
            url, api_key=api_key, timeout=timeout, dependency="generator", key_header=("x-api-key", ""), headers=headers
        )

    def reserve(self, prompt: Prompt) -> int:
        """The estimated tokens of the prompt, plus a quarter to be safe, plus the longest answer."""
        return reservation(prompt, self._max_tokens)

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The model's reply."""
        answer = self._api.post("/messages", self._body(prompt))
        try:
            blocks = answer["content"]
            reply = "".join(block["text"] for block in blocks if block["type"] == "text")
            reason, counted = answer["stop_reason"], _tokens(answer["usage"], None)
        except (LookupError, TypeError, AttributeError):
            raise not_in_format(FORMAT) from None
        if reason in _DECLINED:
            raise declined()
        return draft_of(prompt, reply, cut_short=reason in _CUT_SHORT, max_tokens=self._max_tokens, counted=counted)

    def stream(self, prompt: Prompt) -> Generator[DraftPart, None, None]:
        """The model's reply as it comes."""
        with closing(self._api.stream("/messages", self._body(prompt) | {"stream": True})) as events:
            parts = _parts(sent.data for sent in events)
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
        rules, question = messages(prompt)
        return {
            "model": self._model,
            "max_tokens": prompt.options.bound(self._max_tokens),
            **_chance(prompt),
            "system": rules.content,
            "messages": [{"role": question.role, "content": question.content}],
        }


def _chance(prompt: Prompt) -> dict[str, float]:
    """The temperature where one is asked for, which goes to 1 there; newer models take none at all."""
    return {"temperature": min(prompt.options.temperature, 1.0)} if prompt.options.leaves_to_chance else {}


def _parts(sent: Iterable[str]) -> Iterator[ReplyPart]:
    """What each event says; the last one is not waited for the connection's end."""
    counted = None
    for event in map(_event, sent):
        try:
            text = _text(event)
            reason, usage = _ending(event)
        except (LookupError, TypeError, AttributeError):
            raise not_in_format(FORMAT) from None
        counted = _tokens(usage, counted) if usage else counted
        yield ReplyPart(text, reason, counted)
        if event["type"] == "message_stop":
            break


def _event(data: str) -> Mapping[str, Any]:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise not_in_format(FORMAT) from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise not_in_format(FORMAT)
    if event["type"] == "error":
        raise _broken_off(event.get("error"))
    return event


def _broken_off(error: Any) -> Throttled | Unavailable:
    """What the provider says in the middle of an answer; its message is never read."""
    kind = error.get("type") if isinstance(error, dict) else None
    log.warning("the generator broke off its answer: %s", str(kind)[:80])
    if kind in _BUSY:
        return Throttled("The generator's rate limit is reached: try again later.", dependency="generator")
    return broken_off()


def _text(event: Mapping[str, Any]) -> str:
    """The text that an event adds; thoughts, tool calls and signatures are none."""
    match event["type"]:
        case "content_block_start" if event["content_block"]["type"] == "text":
            found = event["content_block"].get("text")
        case "content_block_delta" if event["delta"]["type"] == "text_delta":
            found = event["delta"]["text"]
        case _:
            return ""
    if not isinstance(found, str | None):
        raise not_in_format(FORMAT)
    return found or ""


def _ending(event: Mapping[str, Any]) -> tuple[str | None, Any]:
    """Why the model stopped, where the event tells, and the tokens so far."""
    match event["type"]:
        case "message_start":
            return None, event["message"]["usage"]
        case "message_delta":
            return event["delta"].get("stop_reason"), event["usage"]
        case _:
            return None, None


def _tokens(usage: Any, before: TokenUsage | None) -> TokenUsage | None:
    """The provider's count: what it read from its cache and wrote to it was input, too."""
    read = [usage.get(name) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    known = [count for count in read if isinstance(count, int) and count >= 0]
    prompt = sum(known) if usage.get("input_tokens") is not None else (before.prompt if before else None)
    return usage_of(prompt, usage.get("output_tokens")) or before
