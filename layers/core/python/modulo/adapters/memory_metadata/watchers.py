"""Who watches collections on connections of API Gateway, in memory."""

from collections.abc import Hashable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from modulo.adapters.memory_metadata.store import Store
from modulo.adapters.memory_metadata.watcher_row import WatcherRow
from modulo.domain.identity import Principal, Scope
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft


def sights(store: Store) -> dict[tuple[UUID, UUID], Hashable]:
    """What members see of each watched collection, and whether they may, as far as it can be compared."""
    places = {(row.tenant_id, row.collection_id) for row in store.watchers.values()}
    return {place: _sight(store, place) for place in places}


def _sight(store: Store, place: tuple[UUID, UUID]) -> Hashable:
    collection = store.collections[place]
    files = frozenset(
        (file.newest.updated_at, file.id, file.newest.number)
        for file in store.files.values()
        if (file.tenant_id, file.collection_id) == place
    )
    return collection.deleted_at, frozenset(collection.members), files


def add_watcher(
    store: Store, principal: Principal, collection_id: UUID, draft: WatcherDraft, *, limit: int, now: datetime
) -> bool:
    """Remember them."""
    store.visible(principal, collection_id)
    others = [
        row
        for row in store.watchers.values()
        if (row.tenant_id, row.user_id) == (principal.tenant_id, principal.user_id)
        and row.draft.connection_id != draft.connection_id
        and row.draft.closes_at > now
    ]
    if len(others) >= limit:
        return False
    watch = Watch(draft.looked_at)
    row = WatcherRow(principal.tenant_id, collection_id, principal.user_id, draft, watch, now)
    store.watchers[draft.connection_id] = row
    return True


def hold_watchers(
    store: Store,
    tenant_id: UUID,
    collection_id: UUID,
    *,
    since: datetime | None,
    lease_until: datetime,
    now: datetime,
) -> list[Watcher]:
    """Take those that are free, and note at the others that they are wanted."""
    lease, held = uuid4(), []
    for row in store.watchers.values():
        if (row.tenant_id, row.collection_id) != (tenant_id, collection_id) or not _wanted(row, since):
            continue
        row.again = row.lease_until is not None and row.lease_until > now
        if not row.again:
            row.lease, row.lease_until = lease, lease_until
            held.append(_watcher(store, row, lease, now))
    return held


def _wanted(row: WatcherRow, since: datetime | None) -> bool:
    looked_at = row.watch.looked_at
    return since is None or looked_at is None or looked_at < since


def _watcher(store: Store, row: WatcherRow, lease: UUID, now: datetime) -> Watcher:
    return Watcher(
        connection_id=row.draft.connection_id,
        principal=Principal(row.tenant_id, row.user_id, frozenset({Scope.read})),
        collection_id=row.collection_id,
        admitted=_admitted(store, row, now),
        looked_at=row.watch.looked_at,
        told=row.watch.told,
        told_at=row.told_at,
        lease=lease,
    )


def _admitted(store: Store, row: WatcherRow, now: datetime) -> bool:
    expires_at, tenant = row.draft.expires_at, store.tenants.get(row.tenant_id)
    if (expires_at is not None and expires_at <= now) or tenant is None or tenant.deleted_at is not None:
        return False
    if row.draft.key_hash is None:
        return True
    key = store.keys.get(row.draft.key_hash)
    if key is None or key.tenant_id != row.tenant_id or key.revoked_at is not None:
        return False
    return key.expires_at is None or key.expires_at > now


def let_go(store: Store, watcher: Watcher, watch: Watch, *, told_at: datetime) -> bool:
    """Record how far they were told, where the lease holds."""
    row = store.watchers.get(watcher.connection_id)
    if row is None or row.lease != watcher.lease:
        return False
    row.watch, row.told_at = Watch(watch.looked_at, watch.told), told_at
    row.lease = row.lease_until = None
    return row.again


def watched(store: Store, *, now: datetime, limit: int) -> list[PushRequest]:
    """Where somebody watches, after those are forgotten who left without a word."""
    store.watchers = {key: row for key, row in store.watchers.items() if row.draft.closes_at > now}
    never = datetime.min.replace(tzinfo=UTC)
    since: dict[tuple[UUID, UUID], datetime] = {}
    for row in store.watchers.values():
        place, looked_at = (row.tenant_id, row.collection_id), row.watch.looked_at or never
        since[place] = min(looked_at, since.get(place, looked_at))
    longest = sorted(since.items(), key=lambda entry: entry[1])[:limit]
    return [PushRequest(*place, None if moment == never else moment) for place, moment in longest]
