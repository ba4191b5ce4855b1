"""The conversation with one forked parser, within limits; a fork that breaks them is killed."""

from __future__ import annotations

import logging
import select
import signal
import socket
import struct
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from modulo.adapters.parsing.sandbox.protocol import (
    EXIT_STATUS,
    LENGTH,
    MessageKind,
    decode,
    encode,
    extent_from,
    page_from,
    pages_request,
    picture_size_from,
)
from modulo.domain.documents.document import Extent, Page, Part, Picture
from modulo.domain.errors import CorruptFile, ExpensiveFile, FileRejected, ModuloError, Unavailable, UnreadableFile
from modulo.domain.files.file import DocumentInfo

if TYPE_CHECKING:
    from modulo.ports.metrics import Metrics

log = logging.getLogger(__name__)
_MB: Final = 1024**2
_POLL_MILLISECONDS: Final = 200
"""Short, because an interrupt reaches a thread only while it runs Python."""
_CHUNK_BYTES: Final = 256 * 1024
_EXIT_SECONDS: Final = 5
_CLOCK_FACTOR: Final = 2
"""How many times the CPU limit may pass on the clock, as other processes share the machine."""
ADVICE: Final = "Split it, or save it anew in its own program, and upload that."
_REJECTIONS = {rejection.code(): rejection for rejection in FileRejected.__subclasses__()}


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What parsing one file, or one part of a large file, may take.

    `seconds` is CPU time; twice as much may pass on the clock, counted only while the caller waits for a page.
    `memory_bytes` is what the document may add to the parser's own memory. `output_bytes` is for all messages.
    """

    seconds: int
    memory_bytes: int
    output_bytes: int


class ParseSession:
    """Reads what a fork sends; closing or losing the session kills the fork."""

    def __init__(
        self, data: socket.socket, status: socket.socket, *, limits: ParserLimits, metrics: Metrics, max_pixels: int
    ) -> None:
        self._data = data
        self._status = status
        self._limits = limits
        self._metrics = metrics
        self._max_pixels = max_pixels
        self._waited_seconds = 0.0
        self._received_bytes = 0
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)
        self.close = weakref.finalize(self, _close, data, status)

    def opened(self) -> tuple[DocumentInfo, Extent | None]:
        """What the document says of itself, and its extent if it can be read in parts."""
        with self._checked_messages():
            _, info, extent = self._receive(MessageKind.opened)
            return DocumentInfo.model_validate(info), extent_from(extent)

    def request_pages(self, part: Part | None) -> None:
        """Ask for all pages, or for those of a part."""
        try:
            self._data.sendall(encode(pages_request(part)))
        except OSError:
            raise self._fork_exited() from None

    def next_page(self) -> Page | DocumentInfo:
        """The next page; after the last one, what the document says of itself."""
        with self._checked_messages():
            kind, *fields = self._receive(MessageKind.page, MessageKind.end)
            if kind == MessageKind.end:
                return DocumentInfo.model_validate(*fields)
            number, scanned, blocks, size, *reading = fields
            return page_from(number, scanned, blocks, reading, self._picture(size))

    def _picture(self, fields: Any) -> Picture | None:
        size = picture_size_from(fields, self._max_pixels)
        return Picture(*size, self._receive_bytes(size[0] * size[1])) if size else None

    @contextmanager
    def _checked_messages(self) -> Iterator[None]:
        """Kill a fork that sends nonsense: a file may have taken it over."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise self._stop("failure") from error

    def _receive(self, *expected: MessageKind) -> list[Any]:
        length = LENGTH.unpack(self._receive_bytes(LENGTH.size))[0]
        self._received_bytes += length
        if self._received_bytes > self._limits.output_bytes:
            raise self._stop("output")
        match decode(self._receive_bytes(length)):
            case [MessageKind.rejected, str(code), str(detail)]:
                self.close()
                raise _REJECTIONS.get(code, CorruptFile)(detail)
            case [MessageKind.out_of_memory]:
                raise self._stop("memory")
            case [MessageKind.failed, str(stack)]:
                log.error("a parser failed, its file is reported as unreadable: %s", stack)
                raise self._stop("failure")
            case [kind, *fields] if kind in expected:
                return [kind, *fields]
        raise ValueError("not an answer to the request")

    def _receive_bytes(self, number: int) -> bytearray:
        found = bytearray()
        while len(found) < number:
            self._wait()
            try:
                chunk = self._data.recv(min(number - len(found), _CHUNK_BYTES))
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                raise self._fork_exited()
            found += chunk
        return found

    def _wait(self) -> None:
        """Wait until the fork has sent something, or its time is up."""
        started = monotonic()
        left = self._limits.seconds * _CLOCK_FACTOR - self._waited_seconds
        while not self._poll.poll(_POLL_MILLISECONDS):
            if monotonic() - started > left:
                raise self._stop("time")
        self._waited_seconds += monotonic() - started
        if self._waited_seconds > self._limits.seconds * _CLOCK_FACTOR:
            raise self._stop("time")

    def _fork_exited(self) -> ModuloError:
        """Why the fork ended by itself."""
        self._status.settimeout(_EXIT_SECONDS)
        try:
            code, memory_bytes = EXIT_STATUS.unpack(self._status.recv(EXIT_STATUS.size))
        except (OSError, struct.error):
            return self._stop("lost")
        if code == -signal.SIGKILL:
            return self._stop("lost")
        if code == -signal.SIGXCPU:
            return self._stop("time")
        # Native code aborts when it gets no more memory.
        return self._stop("memory" if code < 0 and memory_bytes >= self._limits.memory_bytes else "crash")

    def _stop(self, reason: str) -> ModuloError:
        """Kill the fork if it still runs, count the reason, and return the error to raise."""
        self.close()
        self._metrics.count("rag_parsers_stopped_total", reason=reason)
        limits = self._limits
        match reason:
            case "time":
                return ExpensiveFile(f"Reading the file takes more than {limits.seconds} seconds. {ADVICE}")
            case "memory":
                return ExpensiveFile(f"Reading the file takes more than {limits.memory_bytes // _MB} MB. {ADVICE}")
            case "output":
                return ExpensiveFile(f"The file holds more than {limits.output_bytes // _MB} MB of text. {ADVICE}")
            case "lost":
                return Unavailable("The process that read the file was ended from outside.", dependency="parser")
        return UnreadableFile()


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        each.close()
