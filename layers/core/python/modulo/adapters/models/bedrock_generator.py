"""Answers from any chat model of Amazon Bedrock, through the Converse API."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

from modulo.adapters.models.bedrock_api import BedrockApi
from modulo.adapters.models.replies import (
    ReplyPart,
    declined,
    draft_of,
    not_in_format,
    reservation,
    streamed_draft,
    usage_of,
)
from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage
from modulo.domain.answers.prompt import messages
from modulo.ports.deadline import remaining

FORMAT = "the Converse API"
_CUT_SHORT = ("max_tokens", "model_context_window_exceeded")
_DECLINED = ("content_filtered", "guardrail_intervened")


class BedrockGenerator:
    """A generator; `model` is the id or ARN of a model or an inference profile."""

    def __init__(self, model: str, *, max_tokens: int, timeout: float) -> None:
        self.name = f"bedrock:{model}"
        self._model = model
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._api = BedrockApi(timeout=timeout, dependency="generator")

    def reserve(self, prompt: Prompt) -> int:
        """The estimated tokens of the prompt, plus a quarter to be safe, plus the longest answer."""
        return reservation(prompt, self._max_tokens)

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The model's reply."""
        request = self._request(prompt)
        answer = self._api.call(lambda client: client.converse(**request))
        try:
            # Reasoning comes in blocks of another type.
            reply = "".join(block["text"] for block in answer["output"]["message"]["content"] if "text" in block)
            reason, counted = answer["stopReason"], _tokens(answer["usage"])
        except (LookupError, TypeError, AttributeError):
            raise not_in_format(FORMAT) from None
        if reason in _DECLINED:
            raise declined()
        return draft_of(prompt, reply, cut_short=reason in _CUT_SHORT, max_tokens=self._max_tokens, counted=counted)

    def stream(self, prompt: Prompt) -> Generator[DraftPart, None, None]:
        """The model's reply as it comes."""
        request = self._request(prompt)
        answer = self._api.call(lambda client: client.converse_stream(**request))
        with closing(answer["stream"]) as events:
            parts = self._parts(self._api.events(events))
            yield from streamed_draft(
                prompt, parts, max_tokens=self._max_tokens, cut_short=_CUT_SHORT, declining=_DECLINED
            )

    def ping(self) -> None:
        """Make a call to Bedrock that costs nothing."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _parts(self, events: Iterable[Any]) -> Iterator[ReplyPart]:
        for event in events:
            remaining(self._timeout)
            yield _read(event)

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        rules, question = messages(prompt)
        return {
            "modelId": self._model,
            "system": [{"text": rules.content}],
            "messages": [{"role": question.role, "content": [{"text": question.content}]}],
            "inferenceConfig": {
                "maxTokens": prompt.options.bound(self._max_tokens),
                "temperature": min(prompt.options.temperature, 1.0),
            },
        }


def _read(event: Any) -> ReplyPart:
    try:
        text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
        reason = event["messageStop"]["stopReason"] if "messageStop" in event else None
        usage = event.get("metadata", {}).get("usage")
        return ReplyPart(text, reason, _tokens(usage) if usage else None)
    except (LookupError, TypeError, AttributeError):
        raise not_in_format(FORMAT) from None


def _tokens(usage: Any) -> TokenUsage | None:
    return usage_of(usage.get("inputTokens"), usage.get("outputTokens"))
