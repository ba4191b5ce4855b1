"""Chunks: the parts of a document that are embedded and searched."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from modulo.domain.documents.placement import PageBox, boxes_of, moved
from modulo.domain.files.file import FileRef

CHUNKS_PER_PART = 1_000_000
"""How far the chunk numbers of neighbouring parts of a file are apart."""


def numbers_of(part: int) -> range:
    """The numbers that chunks of the file's part so numbered may have."""
    return range(part * CHUNKS_PER_PART, (part + 1) * CHUNKS_PER_PART)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of one generation of a file.

    `start` and `end` are character offsets into the page's text (its blocks joined by blank lines);
    `table` numbers a page's tables from 0. `heading` is the path of headings above, " > " between
    them; it is embedded with the text but is no part of it. `places` are where its text stands on the page, packed by
    `PlacedText`; empty where that is not known.
    """

    number: int
    text: str
    page: int
    start: int
    end: int
    heading: str = ""
    table: int | None = None
    places: str = ""

    @property
    def embedded_text(self) -> str:
        """What the embedding model reads."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text

    def in_page(self, offset: int) -> int:
        """Where in the page's text a character of the chunk's stands; in front of it a table may repeat its header."""
        repeated = len(self.text) - (self.end - self.start)
        return self.start + max(0, offset - repeated)

    def part(self, start: int, end: int) -> "Chunk | None":
        """What of it stands between two offsets into the page's text, without white space around it; None if nothing.

        It keeps a header that a table repeats in front of it if it keeps its own beginning.
        """
        if start <= self.start and end >= self.end:
            return self
        start, end = max(start, self.start), min(end, self.end)
        repeated = len(self.text) - (self.end - self.start)
        header, body = self.text[:repeated], self.text[repeated:][start - self.start : max(end, start) - self.start]
        if not body.strip():
            return None
        start += len(body) - len(body.lstrip())
        text = (header if start == self.start else "") + body.strip()
        end = start + len(body.strip())
        return replace(self, text=text, start=start, end=end, places=moved(self.places, self.start - start))

    def boxes(self, start: int, end: int) -> tuple[PageBox, ...]:
        """Where the characters between two offsets into the page's text stand on the page."""
        return boxes_of(self.places, page=self.page, start=start - self.start, end=end - self.start)

    def id_in(self, ref: FileRef) -> UUID:
        """The chunk's id, derived from file, generation and number: writing a chunk twice is idempotent."""
        return uuid5(ref.file_id, f"{ref.generation}:{self.number}")


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk as the vector store keeps it; `source` is the file's name."""

    ref: FileRef
    chunk: Chunk
    vector: Sequence[float]
    source: str
    media_type: str


class ContentHash:
    """One SHA-256 over chunk texts in the order of their numbers: equal texts, equal hash."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, text: str) -> None:
        """Add the next chunk's text."""
        self._digest.update(hashlib.sha256(text.encode()).digest())
        self.count += 1

    def hexdigest(self) -> str:
        """The hash of all texts added so far."""
        return self._digest.hexdigest()


def content_hash(texts: Iterable[str]) -> str:
    """The `ContentHash` of the texts."""
    digest = ContentHash()
    for text in texts:
        digest.add(text)
    return digest.hexdigest()
