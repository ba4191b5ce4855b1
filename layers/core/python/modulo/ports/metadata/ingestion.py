"""Ingestion: claims of generations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.files.file import DocumentInfo, FileProblem, FileRef, Stage
    from modulo.domain.ingestion.claim import Claim


class Ingestion(Protocol):
    """Claim a generation, record its progress, and end it as ready or failed.

    A claim carries a token. Every step is fenced by it: once another worker holds the claim, or the file is deleted,
    steps of the former claim change nothing.
    """

    def claim(
        self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
    ) -> Claim | None:
        """Take the generation for ingestion, or None where it is finished, deleted, unknown or leased.

        `version` is the object's; a generation that is ready is not claimed again. The first claim
        sets the deadline by which it must be finished. One that failed for a passing reason within
        the last day may be claimed again, with a deadline anew, if its bytes still fit the quota.
        """
        ...

    def advance(
        self,
        claim: Claim,
        stage: Stage,
        *,
        pages_done: int | None = None,
        pages_total: int | None = None,
        lease_until: datetime,
        now: datetime,
    ) -> bool:
        """Record progress and keep the lease; False where the claim no longer holds."""
        ...

    def publish(
        self,
        claim: Claim,
        *,
        chunk_count: int,
        content_hash: str,
        info: DocumentInfo,
        checksum_sha256: str | None = None,
        now: datetime,
    ) -> bool:
        """Make the generation the live one, retire the older ones and raise the collection's version.

        The checksum is kept where none is known yet.

        In an index that searches do not see, it waits for the switch. Where the collection needs the file in
        another index too, it is queued for that one.

        False where the claim no longer holds, in which case nothing changed.
        """
        ...

    def fail(self, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        """End the generation as failed and give its bytes back; False where the claim no longer holds.

        Where a retry cannot help it is to be purged, though the file shows the problem on.
        """
        ...

    def release(self, claim: Claim, *, now: datetime) -> None:
        """End the lease, so that the next delivery may claim the generation again."""
        ...

    def reset_attempts(self, ref: FileRef) -> None:
        """Count the attempts of a generation that failed for a passing reason anew."""
        ...

    def viable(self, ref: FileRef) -> bool:
        """Whether the generation is live or can become so: not deleted, replaced, failed for good or unknown."""
        ...
