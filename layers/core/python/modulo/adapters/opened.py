"""A document that a parser has opened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from modulo.domain.document import BlockKind, Extent, Page, Part
from modulo.domain.errors import EmptyFile, FileRejected, ScannedFile
from modulo.domain.file import MOST_HEADINGS, MOST_PAGES, DocumentInfo
from modulo.domain.language import SAMPLE, language_of

_LONGEST_HEADING = 120
_UPPERMOST = 2


@dataclass(slots=True)
class OpenedDocument:
    """What the document says of itself, and a reader of its pages.

    What only its pages tell is added to `info` when the last one has been read: the language, where
    the text is `spoken`, the uppermost headings, the pages that are mere pictures and those whose text
    was recognised. What has an `extent` can also be read in parts. `unread` is the error where all is pictures.
    """

    info: DocumentInfo
    read: Callable[[], Iterator[Page]]
    spoken: bool = True
    extent: Extent | None = None
    read_part: Callable[[Part], Iterator[Page]] | None = None
    unread: Callable[[], FileRejected] = ScannedFile

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, of the whole or of one part.

        Raises:
            EmptyFile, ScannedFile: the whole holds no text.
            FileRejected: the document cannot be read on, as the subclass says.
        """
        seen = _Seen()
        for page in self.read_part(part) if part and self.read_part else self.read():
            seen.take(page)
            yield page
        if seen.empty and part is None:
            raise self.unread() if seen.scanned else EmptyFile
        language = language_of(seen.sample) if self.spoken else None
        self.info = self.info.model_copy(
            update={
                "language": language or self.info.language,
                "headings": tuple(seen.headings) or None,
                "scanned_pages": tuple(seen.scanned) or None,
                "recognised_pages": tuple(seen.recognised) or None,
            }
        )


@dataclass(slots=True)
class _Seen:
    """What the pages read so far tell."""

    empty: bool = True
    sample: str = ""
    headings: list[str] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    recognised: list[int] = field(default_factory=list)

    def take(self, page: Page) -> None:
        """A further page."""
        self.empty = self.empty and not page.blocks and page.picture is None
        for named, belongs in ((self.scanned, page.scanned), (self.recognised, page.recognised)):
            if belongs and len(named) < MOST_PAGES:
                named.append(page.number)
        for block in page.blocks:
            if block.kind is not BlockKind.heading:
                self.sample += block.text[: SAMPLE - len(self.sample)] + "\n" if len(self.sample) < SAMPLE else ""
            elif block.level <= _UPPERMOST and len(self.headings) < MOST_HEADINGS:
                self.headings.append(block.text[:_LONGEST_HEADING])
