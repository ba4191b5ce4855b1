"""A claim of a generation, or of a part of one, and what its holder may do while it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from modulo.domain.document import Part
from modulo.domain.file import FileProblem, Stage
from modulo.domain.transfer import Claim, PartResult
from modulo.ports import Clock, Metadata


class ClaimLostError(Exception):
    """The generation was deleted, ended or taken over while it was being ingested."""


@dataclass(slots=True)
class Holding:
    """Every move keeps the lease or ends it.

    All but `fail` and `release` raise `ClaimLostError` where the claim holds no more; nothing changed then.
    """

    claim: Claim
    metadata: Metadata
    clock: Clock
    lease_seconds: int

    def advance(self, stage: Stage, *, pages_done: int | None = None, pages_total: int | None = None) -> None:
        """Record progress."""
        now = self.clock.now()
        _hold(
            self.metadata.advance(
                self.claim,
                stage,
                pages_done=pages_done,
                pages_total=pages_total,
                lease_until=self._lease(now),
                now=now,
            )
        )

    def divide(
        self, parts: Sequence[Part], *, pages_total: int, checksum_sha256: str | None, deadline_seconds: int
    ) -> None:
        """Have these parts ingested one by one, in time for one worker to do them all."""
        now = self.clock.now()
        seconds = deadline_seconds + len(parts) * self.lease_seconds
        _hold(
            self.metadata.divide(
                self.claim,
                parts,
                pages_total=pages_total,
                checksum_sha256=checksum_sha256,
                lease_until=self._lease(now),
                deadline=now + timedelta(seconds=seconds),
                now=now,
            )
        )

    def finish_part(self, result: PartResult) -> bool:
        """Record what became of the part; True where it was the last: the claim is one of the whole from then on."""
        now = self.clock.now()
        finished = self.metadata.finish_part(self.claim, result, lease_until=self._lease(now), now=now)
        if finished is None:
            raise ClaimLostError
        if finished.whole is not None:
            self.claim = finished.whole
        return finished.whole is not None

    def publish(self, whole: PartResult, *, checksum_sha256: str | None) -> None:
        """Make the generation the live one."""
        _hold(
            self.metadata.publish(
                self.claim,
                chunk_count=whole.chunk_count,
                content_hash=whole.content_hash,
                info=whole.info,
                checksum_sha256=checksum_sha256,
                now=self.clock.now(),
            )
        )

    def fail(self, problem: FileProblem) -> bool:
        """End the generation as failed; False where the claim holds no more."""
        return self.metadata.fail(self.claim, problem, now=self.clock.now())

    def release(self) -> None:
        """Give the claim up, so that the next delivery may take it."""
        self.metadata.release(self.claim, now=self.clock.now())

    def _lease(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.lease_seconds)


def _hold(changed: bool) -> None:
    if not changed:
        raise ClaimLostError
