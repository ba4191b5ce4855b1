"""Files that are about to be uploaded, or made of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.files.file import File
    from modulo.domain.files.upload import FileDraft
    from modulo.domain.ingestion.claim import Claim
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas


class Uploads(Protocol):
    """Reserve a file, its generation and its quota before the bytes arrive."""

    def reserve_file(
        self, principal: Principal, collection_id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime
    ) -> File:
        """Reserve quota and a generation for an upload; needs an editor. The owner is charged the bytes.

        A name that the collection already has makes the next generation of that file, in place of one
        that was not uploaded yet; the same draft id answers with what is there. Where the draft asks
        for it, a file that holds the same bytes answers as a `Duplicate`, and nothing is reserved.
        Attributes of the draft become those of the file with its name, at once.
        A name that was an alias stays one if its bytes are found, and is the new file's otherwise.

        Raises:
            Conflict: a generation of the file is being ingested, the id was used for another, or the
                file has too many names.
            QuotaExceeded: no file or byte more fits.
        """
        ...

    def reserve_archived(self, claim: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime) -> File | None:
        """Reserve, for who uploaded the claimed archive, one of the files it is expanded into; as `reserve_file`.

        None where the claim no longer holds.

        Raises:
            NotFound, Forbidden: who uploaded it may no longer.
            Conflict: a generation of the file is being ingested.
            QuotaExceeded: no file or byte more fits.
        """
        ...

    def drop_archived(self, claim: Claim, *, keep: Sequence[str], now: datetime) -> bool:
        """Tombstone the files that the archive was expanded into, but for those of these names.

        False where the claim no longer holds, in which case nothing changed.
        """
        ...
