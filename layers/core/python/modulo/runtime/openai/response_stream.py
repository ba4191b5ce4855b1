"""Responses as they come: one object at the end, or the events on the way to it."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import fastapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from modulo.domain.answers.answer import TokenUsage
from modulo.domain.errors import ModuloError
from modulo.domain.search.search import SearchOutput
from modulo.domain.search.search_events import Answered, PassagesFound, SearchEvent, TextChecked
from modulo.runtime.answer_stream import StreamFormat, answer_stream_response
from modulo.runtime.openai.errors import openai_error
from modulo.runtime.openai.response_request import CreateResponse
from modulo.runtime.openai.responses import (
    FileSearchCall,
    OutputMessage,
    OutputText,
    Response,
    ResponseError,
    kept,
    message_id,
    response_begun,
    response_done,
    search_done,
    search_id,
    search_of,
    without_results,
)
from modulo.runtime.problem_details import compact_json, details
from modulo.runtime.server_sent_events import server_sent
from modulo.runtime.threads import run_external

SEARCH, MESSAGE = 0, 1
"""The places of both items in the output."""
PART: Final[Mapping[str, Any]] = {"output_index": MESSAGE, "content_index": 0}


@dataclass(slots=True)
class ResponseWriter:
    """One response of this door: what was asked, and what was told of it so far."""

    asked: CreateResponse
    id: UUID
    question: str
    now: Callable[[], int]
    begun: Response = field(init=False)
    found: list[PassagesFound] = field(default_factory=list)
    done: Response | None = None
    sequence: int = 0
    searching: bool = False
    writing: bool = False

    def __post_init__(self) -> None:
        self.begun = response_begun(self.asked, self.id, self.now())

    def finish(self, output: SearchOutput, used: TokenUsage) -> Mapping[str, Any]:
        """Note the answer, before its event comes; what is to be stored beside it."""
        search = self._searched() if self.asked.stream else search_of(self.id, self.question, output)
        self.done = response_done(self.begun, search, output, used, self.now())
        return kept(self.done)

    def whole(self, events: Generator[SearchEvent, None, None]) -> Response:
        """The response at once."""
        for _ in events:  # the last of them is noted as it comes
            pass
        return self._told()

    def written(self) -> StreamFormat[SearchEvent]:
        """How its events are written."""
        return StreamFormat(lambda event: "".join(self._events(event)), lambda error: "".join(self._failed(error)))

    def _events(self, event: SearchEvent) -> Iterator[str]:
        if isinstance(event, PassagesFound):
            self.found.append(event)
        if not self.searching:
            yield from self._begin()
        if isinstance(event, Answered):
            yield from self._write()
            yield from self._end(self._told())
        elif isinstance(event, TextChecked):
            yield from self._write()
            yield self._event(
                "response.output_text.delta", item_id=message_id(self.id), **PART, delta=event.text, logprobs=[]
            )

    def _begin(self) -> Iterator[str]:
        self.searching = True
        search = FileSearchCall(id=search_id(self.id), status="in_progress", queries=[])
        at = {"item_id": search.id, "output_index": SEARCH}
        yield self._event("response.created", response=_json(self.begun))
        yield self._event("response.in_progress", response=_json(self.begun))
        yield self._event("response.output_item.added", output_index=SEARCH, item=_json(search))
        yield self._event("response.file_search_call.in_progress", **at)
        yield self._event("response.file_search_call.searching", **at)

    def _write(self) -> Iterator[str]:
        """The search is over, and the message begins."""
        if self.writing:
            return
        self.writing = True
        message = OutputMessage(id=message_id(self.id), status="in_progress", content=[])
        part = OutputText(text="", annotations=[])
        search = self._shown(self._searched())
        yield self._event("response.file_search_call.completed", item_id=search.id, output_index=SEARCH)
        yield self._event("response.output_item.done", output_index=SEARCH, item=_json(search))
        yield self._event("response.output_item.added", output_index=MESSAGE, item=_json(message))
        yield self._event("response.content_part.added", item_id=message.id, **PART, part=_json(part))

    def _end(self, done: Response) -> Iterator[str]:
        message = _json(done.output[MESSAGE])
        [part] = message["content"]
        at = {"item_id": message["id"], **PART}
        for number, annotation in enumerate(part["annotations"]):
            yield self._event(
                "response.output_text.annotation.added", **at, annotation_index=number, annotation=annotation
            )
        yield self._event("response.output_text.done", **at, text=part["text"], logprobs=[])
        yield self._event("response.content_part.done", **at, part=part)
        yield self._event("response.output_item.done", output_index=MESSAGE, item=message)
        yield self._event(f"response.{done.status}", response=_json(done))

    def _failed(self, error: ModuloError) -> Iterator[str]:
        found = openai_error(details(error))
        code = "rate_limit_exceeded" if found["code"] == "rate_limit_exceeded" else "server_error"
        problem = ResponseError.model_validate({"code": code, "message": found["message"]})
        failed = self.begun.model_copy(update={"status": "failed", "error": problem})
        yield self._event("response.failed", response=_json(failed))

    def _searched(self) -> FileSearchCall:
        """The search as it was told, part by part."""
        documents = [document for one in self.found for document in one.documents]
        results = [result for one in self.found for result in one.query_results]
        return search_done(self.id, [one.question for one in self.found], documents, results)

    def _shown(self, search: FileSearchCall) -> FileSearchCall:
        """The search with what was found where that is asked for."""
        return search if self.asked.include else search.model_copy(update={"results": None})

    def _told(self) -> Response:
        """The response that is done, with what was found where that is asked for."""
        assert self.done is not None  # noqa: S101 - every search ends with an answer
        return self.done if self.asked.include else without_results(self.done)

    def _event(self, kind: str, **members: Any) -> str:
        document = {"type": kind, "sequence_number": self.sequence, **members}
        self.sequence += 1
        return server_sent(kind, compact_json(document))


async def response_answer(writer: ResponseWriter, events: Generator[SearchEvent, None, None]) -> fastapi.Response:
    """Answer at once, or with events as they come."""
    if writer.asked.stream:
        return await answer_stream_response(events, writer.written())
    whole = await run_external(writer.whole, events)
    return JSONResponse(_json(whole))


def _json(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")
