"""A document that a parser has opened, whose pages are read on demand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from modulo.adapters.parsing.titles import chosen_title
from modulo.domain.documents.document import BlockKind, Extent, Page, Part
from modulo.domain.documents.reading_gauge import ReadingGauge
from modulo.domain.errors import EmptyFile, FileRejected, GarbledFile, ScannedFile
from modulo.domain.files.file import MAX_HEADINGS, MAX_LISTED_PAGES, DocumentInfo
from modulo.domain.text.language import SAMPLE_CHARACTERS, language_of

_MAX_HEADING_LENGTH = 120
_MAX_OUTLINE_LEVEL = 2  # of the headings that `info` lists


@dataclass(slots=True)
class OpenedDocument:
    """The document's properties, and a function that reads its pages.

    A title that a program made up gives way to the first heading, once it has been read, or to none.
    When the last page has been read, `info` also has what only the pages tell: the upper headings, the scanned pages,
    the pages with recognised text, how well it could be read and, if the text is in a `natural_language`, which one.
    A document with an `extent` can also be read in parts. `no_text_error` is raised where all pages are scans without
    text.
    """

    info: DocumentInfo
    read: Callable[[], Iterator[Page]]
    natural_language: bool = True
    extent: Extent | None = None
    read_part: Callable[[Part], Iterator[Page]] | None = None
    no_text_error: Callable[[], FileRejected] = ScannedFile
    _title_given: bool = False

    def __post_init__(self) -> None:
        self._title_given = bool(self.info.title)
        self.info = self.info.model_copy(update={"title": chosen_title(self.info.title)})

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, of the whole or of one part.

        Raises:
            EmptyFile, ScannedFile: the whole document holds no text.
            GarbledFile: nearly all of its text is garbled.
            FileRejected: a page cannot be read, for the reason that the subclass names.
        """
        summary, gauge = _Summary(), ReadingGauge(self.natural_language)
        for page in self.read_part(part) if part and self.read_part else self.read():
            summary.add(page)
            gauge.add(page)
            yield page
        reading = gauge.reading
        if part is None and (reading.is_garbage or (summary.empty and reading.is_unmapped)):
            raise GarbledFile
        if summary.empty and part is None:
            raise self.no_text_error() if summary.scanned else EmptyFile
        heading = summary.headings[0] if summary.headings and self._title_given else None
        language = language_of(summary.sample) if self.natural_language else None
        self.info = self.info.model_copy(
            update={
                "title": self.info.title or chosen_title(heading),
                "language": language or self.info.language,
                "headings": tuple(summary.headings) or None,
                "scanned_pages": tuple(summary.scanned) or None,
                "recognised_pages": tuple(summary.recognised) or None,
                "reading": reading,
                "warnings": gauge.warnings or None,
            }
        )


@dataclass(slots=True)
class _Summary:
    """What is known from the pages read so far."""

    empty: bool = True
    sample: str = ""
    headings: list[str] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    recognised: list[int] = field(default_factory=list)

    def add(self, page: Page) -> None:
        """Take a page into account."""
        self.empty = self.empty and not page.blocks and page.picture is None
        for numbers, applies in ((self.scanned, page.scanned), (self.recognised, page.recognised)):
            if applies and len(numbers) < MAX_LISTED_PAGES:
                numbers.append(page.number)
        for block in page.blocks:
            if block.kind is not BlockKind.heading:
                self.sample += (
                    block.text[: SAMPLE_CHARACTERS - len(self.sample)] + "\n"
                    if len(self.sample) < SAMPLE_CHARACTERS
                    else ""
                )
            elif block.level <= _MAX_OUTLINE_LEVEL and len(self.headings) < MAX_HEADINGS:
                self.headings.append(block.text[:_MAX_HEADING_LENGTH])
