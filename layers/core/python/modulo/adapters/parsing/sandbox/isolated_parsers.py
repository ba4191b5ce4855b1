"""Parsers that each run in a sandboxed process, so that no file can harm the process that asks."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import closing
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from modulo.adapters.parsing.parser_registry import location_of
from modulo.adapters.parsing.sandbox.fork_server import ForkServer, fork_server
from modulo.adapters.parsing.sandbox.parse_session import ParserLimits, ParseSession
from modulo.domain.documents.document import MAX_PIXELS, Extent, Page, Part

if TYPE_CHECKING:
    from modulo.domain.files.file import DocumentInfo
    from modulo.ports.metrics import Metrics
    from modulo.settings import Settings


class IsolatedParsers:
    """The parser of each media type, run in a fork; if `pictures`, pages without text come with a picture."""

    def __init__(
        self,
        limits: ParserLimits,
        metrics: Metrics,
        fork_server: ForkServer = fork_server,
        *,
        pictures: bool = False,
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._fork_server = fork_server
        self._pictures = pictures

    def __call__(self, media_type: str) -> IsolatedParser:
        """The parser of a media type that `domain.media` names.

        Raises:
            UnsupportedFile: there is no parser for the media type.
        """
        return IsolatedParser(location_of(media_type, pictures=self._pictures), self)

    def start(self, location: str, content: int) -> ParseSession:
        """A session with a new fork, whose parser has the open file `content`.

        Raises:
            Unavailable: the fork server cannot be started.
        """
        limits = self._limits
        request = {"parser": location, "memory_bytes": limits.memory_bytes, "cpu_seconds": limits.seconds}
        data, status = self._fork_server.fork(request, content)
        max_pixels = MAX_PIXELS if self._pictures else 0
        return ParseSession(data, status, limits=limits, metrics=self._metrics, max_pixels=max_pixels)


def isolated_parsers(settings: Settings, metrics: Metrics) -> IsolatedParsers:
    """The parsers within the limits of the settings; pictures are added if text recognition is on."""
    limits = ParserLimits(settings.parse_seconds, settings.parse_memory_bytes, settings.parse_output_bytes)
    return IsolatedParsers(limits, metrics, pictures=bool(settings.ocr_languages))


class IsolatedParser:
    """One parser, named by its location (`module:name`)."""

    def __init__(self, location: str, parsers: IsolatedParsers) -> None:
        self._location = location
        self._parsers = parsers

    def parse(self, content: BinaryIO) -> IsolatedDocument:
        """Open a document; the caller may close the content afterwards.

        Raises:
            ExpensiveFile, UnreadableFile: the file takes more than the limits, or crashes its parser.
            FileRejected: the parser refuses the file.
            Unavailable: the process was killed from outside, or could not be started.
        """
        return IsolatedDocument(_Content(content), self)

    def start(self, content: _Content) -> ParseSession:
        """A session with a new fork that has the content open."""
        return self._parsers.start(self._location, content.descriptor)


class IsolatedDocument:
    """An opened document.

    The fork that opened it also reads its pages; it ends with the last page, or when this object is dropped.
    """

    def __init__(self, content: _Content, parser: IsolatedParser) -> None:
        self._content = content
        self._parser = parser
        self.info: DocumentInfo
        self.extent: Extent | None
        self._first_session: ParseSession | None = self._open()

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, of the whole or of one part; the fork is at most a socket buffer ahead.

        Raises:
            FileRejected, Unavailable: as `IsolatedParser.parse` says.
        """
        session, self._first_session = self._first_session or self._open(), None
        with closing(session):
            session.request_pages(part)
            while isinstance(found := session.next_page(), Page):
                yield found
            self.info = found

    def _open(self) -> ParseSession:
        session = self._parser.start(self._content)
        self.info, self.extent = session.opened()
        return session


class _Content:
    """The content as a file descriptor of the operating system, whatever kind of Python file it was."""

    def __init__(self, content: BinaryIO) -> None:
        self.descriptor = _descriptor(content)
        weakref.finalize(self, os.close, self.descriptor)


def _descriptor(content: BinaryIO) -> int:
    try:
        content.flush()
        return os.dup(content.fileno())  # moves a spooled file to disk
    except OSError:  # it is in memory alone
        content.seek(0)
        with TemporaryFile() as file:
            copyfileobj(content, file)
            file.flush()
            return os.dup(file.fileno())
