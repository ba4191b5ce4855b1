# Generated from modulo_client/aio by generate_sync.py: change it there.
"""An answer while it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from modulo_client.errors import ConnectionFailed, problem_of
from modulo_client.events import Event, EventParser
from modulo_client.models import Answer, Citation
from modulo_client.sync.transport import Transport

STREAM = "/search/stream"


class AnswerStream:
    """The text of an answer as it is checked, piece by piece; read it to its end or leave the `with` block.

    A client that leaves stops the model. `citations` grows before the text that holds their marks; `answer` is there
    at the end.
    """

    def __init__(self, transport: Transport, body: Mapping[str, Any]) -> None:
        self._transport = transport
        self._body = body
        self._open = ExitStack()
        self.citations: list[Citation] = []
        self.answer: Answer | None = None

    def __enter__(self) -> AnswerStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[str]:
        """The next sentences.

        Raises:
            ConnectionFailed: the stream ended before the answer did.
            ApiProblem: the server refused, or failed in the middle of the answer.
        """
        for event in self.events():
            if event.name == "text":
                yield str(event.data["text"])

    def events(self) -> Iterator[Event]:
        """Everything the server tells: stages, passages, citations, text, usage and the end."""
        parser = EventParser()
        try:
            lines = self._open.enter_context(self._transport.lines(STREAM, self._body))
            for line in lines:
                event = parser.feed(line)
                if event is not None:
                    self._note(event)
                    yield event
        finally:
            self._open.close()
        if self.answer is None:
            raise ConnectionFailed("the stream ended before the answer did")

    def read(self) -> Answer:
        """Read what is left; the whole answer. Once it is there, nothing is asked again."""
        if self.answer is None:
            for _ in self:
                pass
        assert self.answer is not None  # noqa: S101 - else `events` has raised
        return self.answer

    def _note(self, event: Event) -> None:
        if event.name == "error":
            raise problem_of(int(event.data.get("status", 500)), event.data)
        if event.name == "citation":
            self.citations.append(Citation.model_validate(event.data["citation"]))
        elif event.name == "done":
            self.answer = Answer.model_validate(event.data["output"])
