"""A document that a parser has opened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modulo.domain.document import Page
from modulo.domain.errors import EmptyFile
from modulo.domain.file import DocumentInfo


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """What the document says of itself, and a reader of its pages."""

    info: DocumentInfo
    read: Callable[[], Iterator[Page]]

    def pages(self) -> Iterator[Page]:
        """The pages in order.

        Raises:
            EmptyFile: none of them holds any text.
            FileRejected: the document cannot be read on, as the subclass says.
        """
        empty = True
        for page in self.read():
            empty = empty and not page.blocks
            yield page
        if empty:
            raise EmptyFile
