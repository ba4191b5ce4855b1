"""Parsers that add optical character recognition (OCR): scanned pages get the text found in their pictures."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, Final

from modulo.adapters.parsing.ocr.hocr_page import confidence, drawn_page_from_hocr, lines_in, rotate
from modulo.adapters.parsing.ocr.tesseract import RecognitionError, Tesseract
from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.adapters.parsing.pdf.geometry import DrawnPage
from modulo.adapters.parsing.pdf.layout import blocks_of
from modulo.adapters.parsing.pdf.style import style_of
from modulo.domain.documents.document import Block, Page, Part, Picture
from modulo.domain.errors import ScannedFile
from modulo.domain.files.media import PDF

if TYPE_CHECKING:
    from modulo.ports.metrics import Metrics
    from modulo.ports.parsing import Parsed, Parser

log = logging.getLogger(__name__)
_UPRIGHT_CONFIDENCE: Final = 60.0
"""Percent: below it a page may be rotated. Upright print has about 95, rotated print below 35."""
_MIN_CONFIDENCE: Final = 50.0
"""Percent: below it a page counts as illegible."""
_SAMPLE_PAGES: Final = 12
"""Pages from which running heads and the body's font size are inferred."""


@dataclass(frozen=True, slots=True)
class OcrParsers:
    """The parser of each media type; `parsers` must add pictures of the pages without text.

    At most `max_pages` pictures of a document, or of a part of one, are recognised. The sandboxed parser is not
    trusted: a file that has taken it over could send pictures without end.
    """

    parsers: Callable[[str], Parser]
    tesseract: Tesseract
    metrics: Metrics
    max_pages: int

    def __call__(self, media_type: str) -> Parser:
        """The parser of a media type that `domain.media` names.

        Raises:
            UnsupportedFile: there is no parser for the media type.
        """
        parser = self.parsers(media_type)
        return OcrParser(parser, self) if media_type == PDF else parser

    def blocks(self, picture: Picture, index: int, earlier: deque[DrawnPage]) -> tuple[Block, ...]:
        """The text in the picture of a page, none where recognition fails; `earlier` pages show the document's style.

        Raises:
            Unavailable: Tesseract or a language is not installed.
        """
        outcome, blocks = "nothing", tuple[Block, ...]()
        try:
            if page := self._recognise(picture):
                page.index = index
                earlier.append(page)
                blocks = tuple(blocks_of(page, style_of(earlier, {})))
                outcome = "recognised" if blocks else outcome
        except RecognitionError as error:
            outcome = str(error)
            log.warning(
                "text recognition of page %d failed (%s); it counts as scanned without text", index + 1, outcome
            )
        self.metrics.count("rag_pages_recognised_total", outcome=outcome)
        return blocks

    def _recognise(self, picture: Picture) -> DrawnPage | None:
        """The text in the picture, which is rotated if that makes it more legible; None where it is illegible."""
        deadline = monotonic() + self.tesseract.limits.seconds
        hocr = self.tesseract.read(picture, deadline)
        lines = lines_in(hocr)
        best, turned = confidence(lines), 0
        if lines and best < _UPRIGHT_CONFIDENCE and (degrees := self.tesseract.rotation_of(picture, deadline)):
            rotated = rotate(picture, degrees)
            second_hocr = self.tesseract.read(rotated, deadline)
            if (second := confidence(lines_in(second_hocr))) > best:
                picture, hocr, best, turned = rotated, second_hocr, second, degrees
        return drawn_page_from_hocr(hocr, picture, degrees=turned) if best >= _MIN_CONFIDENCE else None


@dataclass(frozen=True, slots=True)
class OcrParser:
    """The parser of one media type, with recognition."""

    parser: Parser
    parsers: OcrParsers

    def parse(self, content: BinaryIO) -> OpenedDocument:
        """Open a document.

        Raises:
            FileRejected, Unavailable: what the wrapped parser raises, here or while pages are read.
        """
        parsed = self.parser.parse(content)
        return OpenedDocument(
            parsed.info,
            lambda: self._pages(parsed),
            extent=parsed.extent,
            read_part=lambda part: self._pages(parsed, part),
            no_text_error=ScannedFile.unrecognised,
        )

    def _pages(self, parsed: Parsed, part: Part | None = None) -> Iterator[Page]:
        left, earlier = self.parsers.max_pages, deque[DrawnPage](maxlen=_SAMPLE_PAGES)
        for page in parsed.pages(part):
            if page.picture is None:
                yield page
                continue
            blocks = self.parsers.blocks(page.picture, page.number - 1, earlier) if left > 0 else ()
            left -= 1
            yield replace(page, blocks=blocks, scanned=not blocks, recognised=bool(blocks), picture=None)
