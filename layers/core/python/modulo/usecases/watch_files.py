"""Find what has changed in a collection since a position in its event stream, and subscribe to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from modulo.domain.errors import Throttled
from modulo.domain.files.progress import Snapshot
from modulo.domain.files.subscription import MAX_STREAMS_PER_USER, OVERLAP
from modulo.domain.operations.messages import PushRequest
from modulo.domain.pagination import Cursor

if TYPE_CHECKING:
    from modulo.domain.files.event_batch import FileChanges
    from modulo.domain.files.file import File
    from modulo.domain.files.subscription import StreamPosition, SubscriptionDraft
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.files import Files
    from modulo.ports.metadata.subscriptions import Subscriptions
    from modulo.ports.queue import Queue

MAX_SNAPSHOT_FILES: Final = 1_000
PAGE_SIZE: Final = 500


def watch_files(
    principal: Principal,
    collection_id: UUID,
    *,
    position: StreamPosition,
    files: Files,
    clock: Clock,
    fresh: bool = False,
) -> FileChanges:
    """A snapshot at the beginning, else each changed file in its present state, in the order of the changes.

    Moves the position. Every state is delivered at least once; one who resumes may see some again. `fresh` reads
    from the writer.

    Raises:
        NotFound: no such collection is visible to the caller, or no longer.
    """
    now = clock.now()
    if position.looked_at is None:
        latest = files.changes(principal, collection_id, after=None, limit=MAX_SNAPSHOT_FILES + 1, fresh=fresh)
        newest = position.advance(latest[-MAX_SNAPSHOT_FILES:], now)
        return Snapshot(files=tuple(newest), complete=len(latest) <= MAX_SNAPSHOT_FILES)
    since: Cursor | None = Cursor(position.looked_at - OVERLAP, UUID(int=0))
    found: list[File] = []
    while since is not None:
        page = files.changes(principal, collection_id, after=since, limit=PAGE_SIZE, fresh=fresh)
        found += page
        since = Cursor(page[-1].updated_at, page[-1].id) if len(page) == PAGE_SIZE else None
    return position.advance(found, now)


def subscribe(
    principal: Principal,
    collection_id: UUID,
    draft: SubscriptionDraft,
    *,
    subscriptions: Subscriptions,
    pushes: Queue,
    clock: Clock,
) -> None:
    """Store the subscription and have `push_events` send what there is; it sends every change from then on.

    Raises:
        NotFound: no such collection is visible to the caller.
        Throttled: the caller has too many connections.
    """
    if not subscriptions.add_subscription(principal, collection_id, draft, limit=MAX_STREAMS_PER_USER, now=clock.now()):
        raise Throttled(f"A user may watch on at most {MAX_STREAMS_PER_USER} connections.", retry_after=60)
    pushes.send(PushRequest(principal.tenant_id, collection_id).body())
