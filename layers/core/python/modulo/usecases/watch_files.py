"""Look what has changed in a collection since somebody looked last."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from modulo.domain.file import File
from modulo.domain.identity import Principal
from modulo.domain.progress import FileProgress, Snapshot
from modulo.domain.transfer import Cursor
from modulo.ports import Clock, Metadata

OVERLAP: Final = timedelta(seconds=10)
"""How much later than it says a change may come to light: clocks differ, transactions and replication take time."""
LONGEST_ABSENCE: Final = timedelta(hours=1)
MOST_FILES: Final = 1_000
PAGE: Final = 500


@dataclass(slots=True)
class Watch:
    """How far somebody who watches a collection has been told."""

    looked_at: datetime | None = None
    told: dict[UUID, FileProgress] = field(default_factory=dict)
    """What the next look finds again."""

    @classmethod
    def resumed(cls, position: str | None, now: datetime) -> "Watch":
        """Where a watcher was; at the beginning where the position is none, foreign or too old."""
        try:
            moment = datetime.fromisoformat(position or "")
        except ValueError:
            return cls()
        known = moment.tzinfo is not None and now - LONGEST_ABSENCE < moment <= now
        return cls(moment if known else None)

    @property
    def position(self) -> str:
        """By what to go on later."""
        return self.looked_at.isoformat() if self.looked_at else ""

    def note(self, files: list[File], now: datetime) -> list[FileProgress]:
        """What of it is new."""
        new = [told for file in files if self.told.get(file.id) != (told := FileProgress.of(file))]
        self.told |= {told.file_id: told for told in new}
        self.told = {key: told for key, told in self.told.items() if told.updated_at >= now - OVERLAP}
        self.looked_at = now
        return new


def watch_files(
    principal: Principal, collection_id: UUID, *, watch: Watch, metadata: Metadata, clock: Clock
) -> Snapshot | list[FileProgress]:
    """What changed, in the order of the changes, each file in its present state; at first, what there is.

    Everything is told at least once, some of it again to who resumes: states, not steps.

    Raises:
        NotFound: no such collection is visible to the caller, or no longer.
    """
    now = clock.now()
    if watch.looked_at is None:
        files = metadata.changes(principal, collection_id, after=None, limit=MOST_FILES + 1)
        return Snapshot(files=tuple(watch.note(files[-MOST_FILES:], now)), complete=len(files) <= MOST_FILES)
    since: Cursor | None = Cursor(watch.looked_at - OVERLAP, UUID(int=0))
    found: list[File] = []
    while since is not None:
        page = metadata.changes(principal, collection_id, after=since, limit=PAGE)
        found += page
        since = Cursor(page[-1].updated_at, page[-1].id) if len(page) == PAGE else None
    return watch.note(found, now)
