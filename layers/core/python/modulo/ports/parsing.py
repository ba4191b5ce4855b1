"""Files into pages, archives into files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from modulo.domain.documents.document import Extent, Page, Part
    from modulo.domain.files.archive import ArchivedFile
    from modulo.domain.files.file import DocumentInfo


class Parser(Protocol):
    """A reader of one format."""

    def parse(self, content: BinaryIO) -> Parsed:
        """Open a document.

        Raises:
            FileRejected: the document cannot be read, as the subclass says.
        """
        ...


class Parsed(Protocol):
    """An opened document."""

    info: DocumentInfo
    extent: Extent | None
    """How it can be divided; None where it cannot."""

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, each read when asked for: all, or those of one part, which may hold no text.

        Raises:
            FileRejected: the document cannot be read on, as the subclass says.
        """
        ...


class Unpacker(Protocol):
    """A reader of archives."""

    def unpack(self, content: BinaryIO) -> Iterator[ArchivedFile]:
        """The files of an archive and of those in it, in order, each read when asked for.

        Raises:
            FileRejected: it is no archive that can be read, as the subclass says.
        """
        ...
