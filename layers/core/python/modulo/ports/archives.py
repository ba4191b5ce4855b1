"""Archives: where a backup is written to and read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from modulo.domain.operations.backup import ArchivedObject, Manifest


class ArchiveWriter(Protocol):
    """An archive that is being written; it exists once it is finished."""

    def add_rows(self, table: str, lines: Sequence[str]) -> None:
        """Add rows, one line of JSON each; all rows of a table come before those of the next."""
        ...

    def add_object(self, key: str, content: BinaryIO, *, media_type: str) -> int:
        """Add an object; the number of bytes."""
        ...

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows were added of each table."""
        ...

    def finish(self, manifest: Manifest) -> None:
        """Complete it; nothing can be added any more."""
        ...


class ArchiveReader(Protocol):
    """An archive as it is, which nothing has checked but its form.

    Whatever it cannot be read for, and whatever its parts contradict, is an InvalidRequest.
    """

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        ...

    def rows(self, table: str) -> Iterator[str]:
        """The lines of a table, in the order in which they were added."""
        ...

    def objects(self) -> Iterator[ArchivedObject]:
        """The objects that it holds."""
        ...

    def read_object(self, found: ArchivedObject) -> bytes:
        """The bytes of one of them, checked against size and checksum."""
        ...
