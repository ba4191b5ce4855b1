"""Parts: generations that are ingested in parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.documents.document import Part
    from modulo.domain.files.file import FileRef
    from modulo.domain.ingestion.claim import Claim, PartCompletion, PartResult, PartState


class Parts(Protocol):
    """Divide a claimed generation into parts, which several workers claim and finish side by side."""

    def divide(
        self,
        claim: Claim,
        parts: Sequence[Part],
        *,
        pages_total: int,
        checksum_sha256: str | None = None,
        lease_until: datetime,
        deadline: datetime,
        now: datetime,
    ) -> bool:
        """Have a claimed generation ingested in parts; False where the claim no longer holds.

        The checksum is kept where none is known yet.

        The lease is kept by whoever works on a part. Once nobody does, the generation can be claimed
        again, to have the parts that are left worked on.
        """
        ...

    def parts(self, ref: FileRef) -> list[PartState]:
        """The parts of a divided generation, in order; none where it is not divided, ended or unknown."""
        ...

    def claim_part(self, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
        """Take a part, or None where it is finished or leased, or its generation ended or unknown.

        The claim is good for `advance`, `finish_part`, `release` and `fail`, which ends the whole generation.
        """
        ...

    def finish_part(
        self, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime
    ) -> PartCompletion | None:
        """Record the result of a part, or None where the claim no longer holds.

        Whoever finishes the last part is given a claim of the whole generation, to verify and publish it;
        should that worker die, the generation can be claimed once the lease has run out.
        """
        ...
