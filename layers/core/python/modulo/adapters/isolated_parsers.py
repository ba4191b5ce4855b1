"""Parsers that each work in a process of their own, so that no file can harm the one that asks."""

import logging
import os
import select
import signal
import socket
import struct
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from shutil import copyfileobj
from tempfile import TemporaryFile
from time import monotonic
from typing import Any, BinaryIO, Final

from modulo.adapters.parser_forks import Forks, forks
from modulo.adapters.parser_wire import ENDING, HEADER, Answer, asked, extent_of, packed, page_of, size_of, unpacked
from modulo.adapters.parsers import location_of
from modulo.domain.document import MOST_PIXELS, Extent, Page, Part, Picture
from modulo.domain.errors import CorruptFile, ExpensiveFile, FileRejected, ModuloError, Unavailable, UnreadableFile
from modulo.domain.file import DocumentInfo
from modulo.ports import Metrics
from modulo.settings import Settings

log = logging.getLogger(__name__)
_MB: Final = 1024**2
_LOOK_MILLISECONDS: Final = 200
"""An interrupt reaches a thread only when it runs Python."""
_STEP: Final = 256 * 1024
_ENDING_SECONDS: Final = 5
_CLOCK: Final = 2
"""By so much the clock may be ahead of the CPU's time, on a machine with others at work."""
ADVICE: Final = "Split it, or save it anew in its own program, and upload that."


@dataclass(frozen=True, slots=True)
class ParserLimits:
    """What reading one file, or a part of a large one, may take.

    `seconds` are the CPU's; by the clock it is twice as many, counted while somebody waits for a page.
    `memory_bytes` come on top of what a parser takes itself, `output_bytes` are those of the text.
    """

    seconds: int
    memory_bytes: int
    output_bytes: int


class IsolatedParsers:
    """The parser of each media type, in front of the parsers themselves; they add `pictures` where asked to."""

    def __init__(self, limits: ParserLimits, metrics: Metrics, forks: Forks = forks, *, pictures: bool = False) -> None:
        self.limits = limits
        self.metrics = metrics
        self.forks = forks
        self.pictures = pictures

    def __call__(self, media_type: str) -> "IsolatedParser":
        """The parser of a media type that `domain.media` names.

        Raises:
            UnsupportedFile: it is none of those.
        """
        return IsolatedParser(location_of(media_type, pictures=self.pictures), self)


def isolated_parsers(settings: Settings, metrics: Metrics) -> IsolatedParsers:
    """The parsers within the limits that the settings say; where text is recognised, they add pictures."""
    limits = ParserLimits(settings.parse_seconds, settings.parse_memory_bytes, settings.parse_output_bytes)
    return IsolatedParsers(limits, metrics, pictures=bool(settings.ocr_languages))


class IsolatedParser:
    """One parser, named by its location."""

    def __init__(self, location: str, parsers: IsolatedParsers) -> None:
        self._location = location
        self._parsers = parsers

    def parse(self, content: BinaryIO) -> "IsolatedDocument":
        """Open a document; its content may be closed then.

        Raises:
            ExpensiveFile, UnreadableFile: it takes more than the limits, or breaks its parser.
            FileRejected: the parser refuses it.
            Unavailable: the process was ended for no fault of the file's.
        """
        return IsolatedDocument(_Content(content), self)

    def reading(self, content: "_Content") -> "_Reading":
        """A process that has the content open."""
        limits = self._parsers.limits
        request = {"parser": self._location, "memory_bytes": limits.memory_bytes, "cpu_seconds": limits.seconds}
        return _Reading(*self._parsers.forks.fork(request, content.descriptor), self._parsers)


class IsolatedDocument:
    """An opened document; the process that opened it goes on to read its pages, and ends with them or with this."""

    def __init__(self, content: "_Content", parser: IsolatedParser) -> None:
        self._content = content
        self._parser = parser
        self.info: DocumentInfo
        self.extent: Extent | None
        self._opened: _Reading | None = self._open()

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, of the whole or of one part; few are read ahead.

        Raises:
            FileRejected, Unavailable: as `IsolatedParser.parse` says.
        """
        reading, self._opened = self._opened or self._open(), None
        with closing(reading):
            reading.ask(part)
            while isinstance(found := reading.page(), Page):
                yield found
            self.info = found

    def _open(self) -> "_Reading":
        reading = self._parser.reading(self._content)
        self.info, self.extent = reading.opened()
        return reading


class _Content:
    """The content as an open file of the system's, whatever Python's was."""

    def __init__(self, content: BinaryIO) -> None:
        self.descriptor = _descriptor(content)
        weakref.finalize(self, os.close, self.descriptor)


def _descriptor(content: BinaryIO) -> int:
    try:
        content.flush()
        return os.dup(content.fileno())  # which moves a spooled one to disk
    except OSError:  # it is in memory alone
        content.seek(0)
        with TemporaryFile() as file:
            copyfileobj(content, file)
            file.flush()
            return os.dup(file.fileno())


class _Reading:
    """What a fork says, as long as it keeps within its limits; gone or closed, it is killed."""

    def __init__(self, data: socket.socket, status: socket.socket, parsers: IsolatedParsers) -> None:
        self._data = data
        self._status = status
        self._limits = parsers.limits
        self._metrics = parsers.metrics
        self._most_pixels = MOST_PIXELS if parsers.pictures else 0
        self._waited = 0.0
        self._received = 0
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)
        self.close = weakref.finalize(self, _close, data, status)

    def opened(self) -> tuple[DocumentInfo, Extent | None]:
        """What the document is."""
        with self._understanding():
            _, info, extent = self._answer(Answer.opened)
            return DocumentInfo.model_validate(info), extent_of(extent)

    def ask(self, part: Part | None) -> None:
        """Ask for the pages."""
        try:
            self._data.sendall(packed(asked(part)))
        except OSError:
            raise self._ended() from None

    def page(self) -> Page | DocumentInfo:
        """The next page, or what the document says of itself once the last one has been read."""
        with self._understanding():
            kind, *said = self._answer(Answer.page, Answer.end)
            if kind == Answer.end:
                return DocumentInfo.model_validate(*said)
            number, scanned, blocks, size = said
            return page_of(number, scanned, blocks, self._picture(size))

    def _picture(self, size: Any) -> Picture | None:
        found = size_of(size, self._most_pixels)
        return Picture(*found, self._bytes(found[0] * found[1])) if found else None

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        """A process that a file has taken over may say anything."""
        try:
            yield
        except (KeyError, TypeError, ValueError) as error:
            raise self._stopped("failure") from error

    def _answer(self, *expected: Answer) -> list[Any]:
        length = HEADER.unpack(self._bytes(HEADER.size))[0]
        self._received += length
        if self._received > self._limits.output_bytes:
            raise self._stopped("output")
        match unpacked(self._bytes(length)):
            case [Answer.rejected, str(code), str(detail)]:
                self.close()
                raise _REJECTIONS.get(code, CorruptFile)(detail)
            case [Answer.memory]:
                raise self._stopped("memory")
            case [Answer.failed, str(where)]:
                log.error("a parser failed: %s", where)
                raise self._stopped("failure")
            case [kind, *said] if kind in expected:
                return [kind, *said]
        raise ValueError("an answer to something else")

    def _bytes(self, number: int) -> bytearray:
        found = bytearray()
        while len(found) < number:
            self._wait()
            try:
                step = self._data.recv(min(number - len(found), _STEP))
            except ConnectionResetError:
                step = b""
            if not step:
                raise self._ended()
            found += step
        return found

    def _wait(self) -> None:
        started = monotonic()
        spare = self._limits.seconds * _CLOCK - self._waited
        while not self._poll.poll(_LOOK_MILLISECONDS):
            if monotonic() - started > spare:
                raise self._stopped("time")
        self._waited += monotonic() - started
        if self._waited > self._limits.seconds * _CLOCK:
            raise self._stopped("time")

    def _ended(self) -> ModuloError:
        """Why the process is gone."""
        self._status.settimeout(_ENDING_SECONDS)
        try:
            code, memory_bytes = ENDING.unpack(self._status.recv(ENDING.size))
        except (OSError, struct.error):
            return self._stopped("lost")
        if code == -signal.SIGKILL:
            return self._stopped("lost")
        if code == -signal.SIGXCPU:
            return self._stopped("time")
        # What is written in C gives up where there is no more memory.
        return self._stopped("memory" if code < 0 and memory_bytes >= self._limits.memory_bytes else "crash")

    def _stopped(self, reason: str) -> ModuloError:
        """The error that tells why the process was ended, if it has not ended by itself."""
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


_REJECTIONS = {rejection.code(): rejection for rejection in FileRejected.__subclasses__()}
