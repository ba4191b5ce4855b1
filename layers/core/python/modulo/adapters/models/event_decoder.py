"""Server-sent events, decoded from the bytes of a stream as they come (WHATWG HTML, section 9.2)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from modulo.domain.errors import BadModelAnswer

MAX_EVENT_BYTES = 1024**2
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event's name, empty where it has none, and its data."""

    name: str
    data: str


class EventDecoder:
    """Decodes one stream, an event with the empty line behind it.

    Comments, ids and retries are passed over, and bytes that are no UTF-8 replaced.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, content: bytes) -> Iterator[ServerSentEvent]:
        """The events that are complete with these bytes.

        Raises:
            BadModelAnswer: an event is too long.
        """
        may_end = self._rest.endswith(b"\r") or b"\n" in content or b"\r" in content
        self._rest += content
        if may_end:
            *lines, rest = _LINE_END.split(self._rest)
            self._rest = bytearray(rest)
            for line in lines:
                yield from self._line(bytes(line))
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise BadModelAnswer(f"A model streamed an event of more than {MAX_EVENT_BYTES} bytes.")

    def _line(self, line: bytes) -> Iterator[ServerSentEvent]:
        if not line:
            if self._data:
                yield ServerSentEvent(self._name, "\n".join(self._data))
            self._name, self._data, self._size = "", [], 0
            return
        field, _, value = line.decode(errors="replace").partition(":")
        value = value.removeprefix(" ")
        self._size += len(line)
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
