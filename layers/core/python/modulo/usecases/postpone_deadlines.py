"""Let stored files wait for their turn in a long queue."""

from __future__ import annotations

import logging
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from modulo.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from modulo.domain.files.file import FileRef
    from modulo.ports.blobs import Blobs
    from modulo.ports.metadata.sweeping import Sweeping

MAX_WAIT: Final = timedelta(days=1)
"""How long a file may wait for its turn: no file stays unfinished, not even where no worker runs."""
CONCURRENCY: Final = 8
"""How many objects are looked for at a time."""
MAX_LOOK_SECONDS: Final = 20.0
"""How long objects are looked for: a sweep has other work, and less than a minute."""
UNSEEN_DELAY: Final = timedelta(minutes=3)
"""The next deadline of files whose object could not be looked for: some sweeps later."""
_log = logging.getLogger(__name__)


def postpone_deadlines(*, sweeping: Sweeping, blobs: Blobs, now: datetime, deadline_seconds: int, limit: int) -> None:
    """Give files another deadline whose bytes are stored, and which nobody claimed because others came first.

    Without this a sweep would end them as never uploaded while their messages wait. Files whose object could not be
    looked for, as the object store is down or slow, get a short one: nobody knows yet whether they were uploaded.

    Raises:
        Unavailable: Postgres did not answer.
    """
    overdue = sweeping.overdue_unclaimed(now=now, created_since=now - MAX_WAIT, limit=limit)
    if not overdue:
        return
    stored, unseen = _looked_for(blobs, overdue)
    if stored:
        deadline = now + timedelta(seconds=deadline_seconds)
        sweeping.postpone_deadlines(stored, deadline=deadline, now=now, queued=True)
    if unseen:
        _log.warning("the object store did not tell whether %d overdue files were uploaded", len(unseen))
        sweeping.postpone_deadlines(unseen, deadline=now + UNSEEN_DELAY, now=now, queued=False)


def _looked_for(blobs: Blobs, refs: Sequence[FileRef]) -> tuple[list[FileRef], list[FileRef]]:
    """Those whose object is stored, and those of which the object store told nothing before it failed or in time."""
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        looks = [threads.submit(blobs.info, ref) for ref in refs]
        wait(looks, timeout=MAX_LOOK_SECONDS, return_when=FIRST_EXCEPTION)
        threads.shutdown(cancel_futures=True)
    stored: list[FileRef] = []
    unseen: list[FileRef] = []
    for ref, look in zip(refs, looks, strict=True):
        if look.cancelled() or isinstance(look.exception(), Unavailable):
            unseen.append(ref)
        elif look.result() is not None:
            stored.append(ref)
    return stored, unseen
