"""The lease of a claim: what its holder may do with the generation, or the part of one, while it holds."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from modulo.domain.errors import ModuloError
from modulo.domain.files.file import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from modulo.domain.documents.document import Part
    from modulo.domain.files.file import FileProblem
    from modulo.domain.ingestion.claim import Claim, PartResult
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.ingestion import Ingestion
    from modulo.ports.metadata.parts import Parts


log = logging.getLogger(__name__)
RENEWALS = 3
"""How often a lease is renewed in the time that it lasts."""
MAX_PART_SECONDS = 900
"""How long one worker takes for a part at most: as long as a function may run."""


class ClaimLostError(Exception):
    """The generation was deleted, ended or taken over while it was being ingested."""


@dataclass(slots=True)
class ClaimLease:
    """A claim whose lease each step renews or ends, and which a heartbeat renews while a step takes long.

    The lease is short, so that a file whose worker died is soon taken up by another one.
    All steps but `fail` and `release` raise `ClaimLostError` where the claim no longer holds; nothing changed then.
    """

    claim: Claim
    ingestion: Ingestion
    parts: Parts
    clock: Clock
    lease_seconds: int
    _stage: Stage = Stage.parsing
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def heartbeat(self) -> Iterator[None]:
        """Renew the lease from a thread until the end of the context, for as long as a worker may take."""
        stop = Event()
        thread = Thread(target=copy_context().run, args=(self._renew, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def advance(self, stage: Stage, *, pages_done: int | None = None, pages_total: int | None = None) -> None:
        """Record progress."""
        with self._lock:
            self._stage, now = stage, self.clock.now()
            held = self.ingestion.advance(
                self.claim,
                stage,
                pages_done=pages_done,
                pages_total=pages_total,
                lease_until=self._until(now),
                now=now,
            )
        _require_held(held)

    def divide(
        self, parts: Sequence[Part], *, pages_total: int, checksum_sha256: str | None, deadline_seconds: int
    ) -> None:
        """Have these parts ingested one by one; the deadline leaves time for one worker to do them all."""
        now = self.clock.now()
        seconds = deadline_seconds + len(parts) * MAX_PART_SECONDS
        _require_held(
            self.parts.divide(
                self.claim,
                parts,
                pages_total=pages_total,
                checksum_sha256=checksum_sha256,
                lease_until=self._until(now),
                deadline=now + timedelta(seconds=seconds),
                now=now,
            )
        )

    def finish_part(self, result: PartResult) -> bool:
        """Record a part's result; True for the last one: from then on the claim is one of the whole generation."""
        now = self.clock.now()
        finished = self.parts.finish_part(self.claim, result, lease_until=self._until(now), now=now)
        if finished is None:
            raise ClaimLostError
        if finished.whole is not None:
            self.claim = finished.whole
        return finished.whole is not None

    def publish(self, whole: PartResult, *, checksum_sha256: str | None) -> None:
        """Make the generation the live one."""
        _require_held(
            self.ingestion.publish(
                self.claim,
                chunk_count=whole.chunk_count,
                content_hash=whole.content_hash,
                info=whole.info,
                checksum_sha256=checksum_sha256,
                now=self.clock.now(),
            )
        )

    def fail(self, problem: FileProblem) -> bool:
        """End the generation as failed; False where the claim no longer holds."""
        return self.ingestion.fail(self.claim, problem, now=self.clock.now())

    def release(self) -> None:
        """Give the claim up, so that the next delivery may take it."""
        self.ingestion.release(self.claim, now=self.clock.now())

    def _renew(self, stop: Event) -> None:
        pause = self.lease_seconds / RENEWALS
        for _ in range(int(MAX_PART_SECONDS / pause)):
            if stop.wait(pause):
                return
            try:
                with self._lock:
                    now = self.clock.now()
                    if not self.ingestion.advance(self.claim, self._stage, lease_until=self._until(now), now=now):
                        return
            except ModuloError as error:
                log.warning("lease of file %s not renewed, trying again: %s", self.claim.ref.file_id, error.detail)

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.lease_seconds)


def _require_held(changed: bool) -> None:
    if not changed:
        raise ClaimLostError
