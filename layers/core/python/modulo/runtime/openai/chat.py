"""Chat completions: a question to the collection that the model stands for, answered at once or as a stream."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import uuid4

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from modulo.domain.errors import ModuloError
from modulo.domain.search.search import SearchOutput
from modulo.domain.search.search_events import Answered, SearchEvent, TextChecked, TokensUsed
from modulo.runtime.answer_stream import StreamFormat, answer_stream_response
from modulo.runtime.openai.chat_request import CreateChatCompletion, StreamOptions
from modulo.runtime.openai.errors import openai_error
from modulo.runtime.problem_details import compact_json, details
from modulo.runtime.threads import run_external

DONE: Final = "data: [DONE]\n\n"
"""What a stream ends with."""


class UrlCitation(BaseModel):
    """Where in the answer a mark stands, and what it cites."""

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(BaseModel):
    """A citation that was checked."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class AssistantMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: AssistantMessage
    finish_reason: Literal["stop", "length"] = "stop"
    logprobs: None = None


class CompletionUsage(BaseModel):
    """Tokens as the generator's provider counts them; 0 where it is not metered, or the answer was known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class ChatCompletion(BaseModel):
    """The answer with its citations."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage


@dataclass(slots=True)
class Completion:
    """One answer of this door: what its chunks share, and what is known of it so far."""

    model: str
    created: int
    origin: str
    """The address of the server, with which the citations' addresses begin."""
    include_usage: bool
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid4().hex}")
    usage: CompletionUsage = field(default_factory=CompletionUsage)
    begun: bool = False

    def whole(self, events: Generator[SearchEvent, None, None]) -> ChatCompletion:
        """The answer at once."""
        for event in events:
            self._count(event)
            if isinstance(event, Answered):
                output = event.output
        message = AssistantMessage(content=output.answer or "", annotations=self._annotations(output))
        choice = Choice(message=message, finish_reason=_reason(output))
        return ChatCompletion(id=self.id, created=self.created, model=self.model, choices=[choice], usage=self.usage)

    def written(self) -> StreamFormat[SearchEvent]:
        """How its events are written as chunks."""
        return StreamFormat(lambda event: "".join(self._chunks(event)), _failed)

    def _chunks(self, event: SearchEvent) -> Iterator[str]:
        self._count(event)
        if not self.begun:
            self.begun = True
            yield self._chunk({"role": "assistant", "content": ""})
        if isinstance(event, TextChecked):
            yield self._chunk({"content": event.text})
        if isinstance(event, Answered):
            annotations = self._annotations(event.output)
            yield self._chunk({"content": "", "annotations": [one.model_dump() for one in annotations]})
            yield self._chunk({}, finish_reason=_reason(event.output))
            if self.include_usage:
                yield self._document(choices=[], usage=self.usage.model_dump())
            yield DONE

    def _count(self, event: SearchEvent) -> None:
        if isinstance(event, TokensUsed):
            used = event.tokens
            self.usage = CompletionUsage(
                prompt_tokens=used.prompt, completion_tokens=used.completion, total_tokens=used.total
            )

    def _chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._document(choices=[choice], usage=None)

    def _document(self, **members: Any) -> str:
        shared = {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}
        return _data(shared | members)

    def _annotations(self, output: SearchOutput) -> list[Annotation]:
        """One for each mark in the answer."""
        urls = {one.chunk.document_id: one.chunk.metadata.url for one in output.query_results}
        return [
            Annotation(
                url_citation=UrlCitation(
                    start_index=mark.start(),
                    end_index=mark.end(),
                    title=citation.title,
                    url=urls.get(citation.document_id) or f"{self.origin}{citation.url}",
                )
            )
            for mark, citation in output.cited_marks()
        ]


def _reason(output: SearchOutput) -> Literal["stop", "length"]:
    return "length" if output.metadata.cut_short else "stop"


async def chat_answer(
    body: CreateChatCompletion,
    events: Generator[SearchEvent, None, None],
    *,
    created: int,
    origin: str,
) -> Response:
    """Answer at once, or with chunks as they come."""
    options = body.stream_options or StreamOptions()
    completion = Completion(body.model, created, origin, options.include_usage)
    if body.stream:
        return await answer_stream_response(events, completion.written())
    whole = await run_external(completion.whole, events)
    return JSONResponse(whole.model_dump())


def _failed(error: ModuloError) -> str:
    return _data({"error": openai_error(details(error))})


def _data(document: Mapping[str, Any]) -> str:
    return f"data: {compact_json(document)}\n\n"
