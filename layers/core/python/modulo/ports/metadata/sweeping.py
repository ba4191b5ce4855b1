"""Sweeps of all tenants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.files.file import FileRef
    from modulo.domain.operations.sweep import SweepFindings


class Sweeping(Protocol):
    """What a sweep ends, requeues and finds unpurged, of all tenants."""

    def sweep(self, *, now: datetime, limit: int, unclaimed_since: datetime | None = None) -> SweepFindings:
        """Switch to re-embedded indexes that are complete, where that is wanted; drop old ones kept no longer.

        End generations whose deadline has passed; name those to requeue and what is still to be purged. Those to
        requeue lost their worker or, where `unclaimed_since` is given, were not claimed since then: their message is
        lost, or their bytes did not arrive yet.

        Each kind at most `limit`, of all tenants, those that wait longest first. What is named is
        named again ten minutes later unless it was claimed or purged by then. Old dead letters are
        deleted.
        """
        ...

    def overdue_unclaimed(self, *, now: datetime, created_since: datetime, limit: int) -> list[FileRef]:
        """Generations whose deadline has passed before anybody claimed them, those that wait longest first.

        Older ones than `created_since` are left out.
        """
        ...

    def postpone_deadlines(self, refs: Sequence[FileRef], *, deadline: datetime, now: datetime, queued: bool) -> None:
        """Give these generations another deadline, and show them as `queued`; those claimed meanwhile stay."""
        ...
