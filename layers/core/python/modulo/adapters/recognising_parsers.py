"""Parsers whose scanned pages have the text that is recognised in their pictures."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import BinaryIO, Final

from modulo.adapters.opened import OpenedDocument
from modulo.adapters.pdf_geometry import Sheet
from modulo.adapters.pdf_layout import blocks_of
from modulo.adapters.pdf_style import style_of
from modulo.adapters.tesseract_page import confidence, lines_in, sheet_of, turned
from modulo.adapters.tesseract_program import RecognitionFailedError, Tesseract
from modulo.domain.document import Block, Page, Part, Picture
from modulo.domain.errors import ScannedFile
from modulo.domain.media import PDF
from modulo.ports import Metrics, Parsed, Parser

log = logging.getLogger(__name__)
_PLAIN: Final = 60.0
"""Of 100: what is read with less confidence may be turned. Upright print has 95, a turned one below 35."""
_LEGIBLE: Final = 50.0
_SEEN: Final = 12  # pages that tell what is a running head, and which size most text has


@dataclass(frozen=True, slots=True)
class RecognisingParsers:
    """The parser of each media type, in front of those that add pictures.

    Of a document, or of a part of one, at most `most_pages` are looked at: a process that a file has taken over
    could add pictures without end.
    """

    parsers: Callable[[str], Parser]
    tesseract: Tesseract
    metrics: Metrics
    most_pages: int

    def __call__(self, media_type: str) -> Parser:
        """The parser of a media type that `domain.media` names.

        Raises:
            UnsupportedFile: it is none of those.
        """
        parser = self.parsers(media_type)
        return RecognisingParser(parser, self) if media_type == PDF else parser

    def blocks(self, picture: Picture, seen: deque[Sheet]) -> tuple[Block, ...]:
        """What is recognised in a picture, which is nothing where that fails; pages `seen` before tell its style.

        Raises:
            Unavailable: text recognition cannot work at all.
        """
        outcome, blocks = "nothing", tuple[Block, ...]()
        try:
            if sheet := self._sheet(picture):
                seen.append(sheet)
                blocks = tuple(blocks_of(sheet, 0, style_of(seen, {})))
                outcome = "recognised" if blocks else outcome
        except RecognitionFailedError as error:
            outcome = str(error)
            log.warning("a page could not be recognised: %s", outcome)
        self.metrics.count("rag_pages_recognised_total", outcome=outcome)
        return blocks

    def _sheet(self, picture: Picture) -> Sheet | None:
        """What stands in the picture, which may have to be turned; None where that is not plain."""
        until = monotonic() + self.tesseract.limits.seconds
        found = self.tesseract.read(picture, until)
        lines = lines_in(found)
        sure = confidence(lines)
        if lines and sure < _PLAIN and (degrees := self.tesseract.turn(picture, until)):
            upright = turned(picture, degrees)
            again = self.tesseract.read(upright, until)
            if (surer := confidence(lines_in(again))) > sure:
                picture, found, sure = upright, again, surer
        return sheet_of(found, picture) if sure >= _LEGIBLE else None


@dataclass(frozen=True, slots=True)
class RecognisingParser:
    """A parser of one type."""

    parser: Parser
    parsers: RecognisingParsers

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document; its pages raise what the parser's do.

        Raises:
            FileRejected, Unavailable: as the parser does.
        """
        parsed = self.parser.parse(content)
        return OpenedDocument(
            parsed.info,
            lambda: self._pages(parsed),
            extent=parsed.extent,
            read_part=lambda part: self._pages(parsed, part),
            unread=ScannedFile.unrecognised,
        )

    def _pages(self, parsed: Parsed, part: Part | None = None) -> Iterator[Page]:
        left, seen = self.parsers.most_pages, deque[Sheet](maxlen=_SEEN)
        for page in parsed.pages(part):
            if page.picture is None:
                yield page
                continue
            blocks = self.parsers.blocks(page.picture, seen) if left > 0 else ()
            left -= 1
            yield replace(page, blocks=blocks, scanned=not blocks, recognised=bool(blocks), picture=None)
