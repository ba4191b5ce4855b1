"""Let stored files wait for their turn in a long queue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from modulo.ports.blobs import Blobs
    from modulo.ports.metadata.sweeping import Sweeping

MAX_WAIT: Final = timedelta(days=1)
"""How long a file may wait for its turn: no file stays unfinished, not even where no worker runs."""
CONCURRENCY: Final = 8
"""How many objects are looked for at a time."""


def postpone_deadlines(*, sweeping: Sweeping, blobs: Blobs, now: datetime, deadline_seconds: int, limit: int) -> None:
    """Give files another deadline whose bytes are stored, and which nobody claimed because others came first.

    Without this a sweep would end them as never uploaded while their messages wait.

    Raises:
        Unavailable: Postgres or the object store did not answer.
    """
    overdue = sweeping.overdue_unclaimed(now=now, created_since=now - MAX_WAIT, limit=limit)
    if not overdue:
        return
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        objects = threads.map(blobs.info, overdue)
        stored = [ref for ref, found in zip(overdue, objects, strict=True) if found is not None]
    if stored:
        sweeping.postpone_deadlines(stored, deadline=now + timedelta(seconds=deadline_seconds), now=now)
