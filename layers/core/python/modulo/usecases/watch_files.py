"""Look what has changed in a collection since somebody looked last."""

from typing import Final
from uuid import UUID

from modulo.domain.errors import Throttled
from modulo.domain.file import File
from modulo.domain.identity import Principal
from modulo.domain.progress import Snapshot
from modulo.domain.transfer import Cursor
from modulo.domain.watching import MOST_OF_A_USER, OVERLAP, News, PushRequest, Watch, WatcherDraft
from modulo.ports import Clock, Metadata, Queue

MOST_FILES: Final = 1_000
PAGE: Final = 500


def watch_files(
    principal: Principal, collection_id: UUID, *, watch: Watch, metadata: Metadata, clock: Clock, fresh: bool = False
) -> News:
    """What changed, in the order of the changes, each file in its present state; at first, what there is.

    Everything is told at least once, some of it again to who resumes: states, not steps. A `fresh` look reads where
    it was written.

    Raises:
        NotFound: no such collection is visible to the caller, or no longer.
    """
    now = clock.now()
    if watch.looked_at is None:
        files = metadata.changes(principal, collection_id, after=None, limit=MOST_FILES + 1, fresh=fresh)
        return Snapshot(files=tuple(watch.note(files[-MOST_FILES:], now)), complete=len(files) <= MOST_FILES)
    since: Cursor | None = Cursor(watch.looked_at - OVERLAP, UUID(int=0))
    found: list[File] = []
    while since is not None:
        page = metadata.changes(principal, collection_id, after=since, limit=PAGE, fresh=fresh)
        found += page
        since = Cursor(page[-1].updated_at, page[-1].id) if len(page) == PAGE else None
    return watch.note(found, now)


def begin_watching(
    principal: Principal,
    collection_id: UUID,
    draft: WatcherDraft,
    *,
    metadata: Metadata,
    pushes: Queue,
    clock: Clock,
) -> None:
    """Have `push_events` tell somebody, at once what there is, and then whatever changes.

    Raises:
        NotFound: no such collection is visible to the caller.
        Throttled: the caller watches on too many connections.
    """
    if not metadata.add_watcher(principal, collection_id, draft, limit=MOST_OF_A_USER, now=clock.now()):
        raise Throttled(f"A user may watch on at most {MOST_OF_A_USER} connections.", retry_after=60)
    pushes.send(PushRequest(principal.tenant_id, collection_id).body())
