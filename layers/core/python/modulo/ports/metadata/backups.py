"""The metadata as a whole: read for backups, replaced by restores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Space
    from modulo.domain.files.file import FileRef
    from modulo.domain.operations.backup import GoneFile, Manifest, Snapshot


class Backups(Protocol):
    """All rows of one moment, and all rows at once."""

    def read_rows(self, tenant_id: UUID | None, write: Callable[[str, Sequence[str]], None]) -> Snapshot:
        """Hand every row, as it is at one moment, to `write`: some lines of JSON of one table at a time.

        Of a tenant, those that mean something elsewhere: neither its API keys nor its dead letters.

        Raises:
            NotFound: there is no such tenant, or it was deleted.
        """
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep others from restoring meanwhile.

        Raises:
            Conflict: another one restores.
        """
        ...

    def which_live(self, named: Iterable[GoneFile]) -> Collection[GoneFile]:
        """Those of the files that are not deleted by now."""
        ...

    def which_tenants_exist(self, tenant_ids: Collection[UUID]) -> Collection[UUID]:
        """Those of the tenants that are here, deleted ones included."""
        ...

    def spaces_of(self, tenant_ids: Collection[UUID]) -> Sequence[Space]:
        """Where the vectors of these tenants may be."""
        ...

    def check_tables(self, tables: Mapping[str, Sequence[str]]) -> None:
        """Require that these tables with these columns can be written.

        Raises:
            InvalidRequest: there are no such ones here, or rows could not be complete.
        """
        ...

    def write_rows(
        self, manifest: Manifest, rows: Callable[[str], Iterable[str]], *, tenant_ids: Collection[UUID], now: datetime
    ) -> tuple[FileRef, ...]:
        """Replace all rows of the archive's tenants by those in it, and have their files ingested: all or nothing.

        Collections that are here get a later version than they have, so that nothing cached is taken for theirs.

        Files that were deleted while the backup was taken are deleted here too. A sweep queues those of the generations
        returned that are not queued at once.

        Raises:
            InvalidRequest: the rows contradict each other, or what is here.
        """
        ...
