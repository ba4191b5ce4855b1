"""Files, as their users see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.file import File, FileChange, FileRef, Stage
    from modulo.domain.files.stored_object import StoredFile
    from modulo.domain.pagination import Cursor, Listing, Page, Window
    from modulo.domain.tenancy.identity import Principal


class Files(Protocol):
    """List, read and delete files, as the caller's membership of the collection allows."""

    def list_files(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, stage: Stage | None
    ) -> Listing[File]:
        """The collection's files, newest first."""
        ...

    def page_files(
        self, principal: Principal, collection_id: UUID, window: Window, *, stages: Collection[Stage] | None = None
    ) -> Page[File]:
        """A window of the collection's files; `stages` keeps those in one of them.

        Raises:
            InvalidRequest: it begins at none of them.
        """
        ...

    def find_file(self, principal: Principal, file_id: UUID) -> StoredFile:
        """A file in whichever collection, or a copy of the user file of that id."""
        ...

    def list_copies(self, principal: Principal, origin_id: UUID) -> list[File]:
        """The copies of a user file that the caller may delete."""
        ...

    def changes(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, fresh: bool = False
    ) -> list[File]:
        """The collection's files that changed behind `after`, in the order of their last change, the deleted too.

        Without a cursor those that live and changed last, in the same order. A change that is being written may
        become visible only after a later one. `fresh` reads from the writer.
        """
        ...

    def get_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, fresh: bool = False) -> File:
        """One of them, or the copy of the user file of that id; `fresh` reads from the writer."""
        ...

    def get_stored_file(self, principal: Principal, collection_id: UUID, file_id: UUID) -> StoredFile:
        """One of them, with the version of the object that belongs to its live generation, or to the newest."""
        ...

    def change_file(
        self, principal: Principal, collection_id: UUID, file_id: UUID, change: FileChange, *, now: datetime
    ) -> File:
        """Change one of them and raise the collection's version; needs an editor.

        New attributes take the place of all it had.
        """
        ...

    def remove_alias(
        self, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
    ) -> None:
        """Take one of a file's aliases away and raise the collection's version; needs an editor.

        Raises:
            NotFound: the file has no such alias.
        """
        ...

    def tombstone_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
        """Make it invisible, raise the collection's version and open the receipt; needs an editor.

        The files an archive was expanded into are deleted with it, each with a receipt of its own; the sweep has them
        purged. Doing it again changes nothing.
        """
        ...
