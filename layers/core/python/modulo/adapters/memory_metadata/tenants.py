"""Tenants in memory, and how a deleted one is taken apart."""

from collections import Counter
from collections.abc import Collection, MutableMapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from modulo.adapters.memory_metadata.deletions import close_receipt, open_receipt, proven
from modulo.adapters.memory_metadata.store import DeletionRow, Store
from modulo.domain.deletion import Deletion, DeletionKind, Removed, Tally, deletion_id
from modulo.domain.errors import NotFound
from modulo.domain.generation import ASK_AGAIN_AFTER, PURGE_AFTER
from modulo.domain.identity import Tenant
from modulo.domain.transfer import Dismantled, PurgeRequest

Key = TypeVar("Key")


def list_tenants(store: Store, *, after: UUID | None, limit: int) -> list[Tenant]:
    """Some tenants, by id."""
    found = sorted(id_ for id_ in store.tenants if after is None or id_ > after)[:limit]
    rows = [store.tenants[id_] for id_ in found]
    return [Tenant(id=row.id, name=row.name, deleted_at=row.deleted_at) for row in rows]


def tenant_deleted(store: Store, tenant_id: UUID) -> bool:
    """Whether there is a tombstone."""
    row = store.tenants.get(tenant_id)
    return row is not None and row.deleted_at is not None


def tombstone_tenant(store: Store, tenant_id: UUID, *, now: datetime) -> None:
    """Set the tombstone; once. Deletions of collections that are under way become part of the tenant's."""
    row = store.tenants.get(tenant_id)
    if row is None:
        raise NotFound("There is no such tenant.")
    if row.deleted_at is not None:
        return
    row.deleted_at, row.purge_after = now, now + PURGE_AFTER
    whole = deletion_id(tenant_id)
    for deletion in store.deletions.values():
        told = deletion.receipt
        if deletion.tenant_id == tenant_id and told.kind is DeletionKind.collection and not told.completed_at:
            deletion.change(part_of=whole)
    receipt = Deletion(
        id=whole,
        kind=DeletionKind.tenant,
        target_id=tenant_id,
        collection_id=None,
        name=row.name,
        requested_by=None,
        requested_at=now,
    )
    store.deletions[tenant_id, whole] = DeletionRow(tenant_id, None, receipt)


def dismantle(store: Store, tenant_id: UUID, *, now: datetime, limit: int) -> Dismantled | None:
    """One step."""
    tenant = store.tenants.get(tenant_id)
    if tenant is None or tenant.deleted_at is None or tenant.purged_at is not None:
        return None
    tenant.purge_after = now + ASK_AGAIN_AFTER
    requests = _tombstone_collections(store, tenant_id, now, limit)
    removed, more = Removed(), len(requests) == limit
    for step in (_remove_files, _remove_collections, _remove_users):
        if not more:
            went, more = step(store, tenant_id, limit)
            removed = removed.plus(went)
    row = store.deletions[tenant_id, deletion_id(tenant_id)]
    row.revision += removed != Removed()
    row.change(removed=row.receipt.removed.plus(removed))
    return Dismantled(requests, more, None if more or _any_collection(store, tenant_id) else row.tally)


def end_tenant(store: Store, tenant_id: UUID, known: Tally, *, now: datetime) -> bool:
    """Leave the tombstone only."""
    if not proven(store, tenant_id, known, now=now)[0]:
        return False
    tenant = store.tenants[tenant_id]
    store.tenants[tenant_id] = replace(tenant, name="", purge_after=None, purged_at=now)
    close_receipt(store, tenant_id, known, 0, completed_at=now)
    return True


def _tombstone_collections(store: Store, tenant_id: UUID, now: datetime, limit: int) -> tuple[PurgeRequest, ...]:
    living = [row for row in store.collections.values() if row.tenant_id == tenant_id and row.deleted_at is None]
    for row in living[:limit]:
        open_receipt(store, row, requested_by=None, part_of=deletion_id(tenant_id), now=now)
        row.deleted_at, row.purge_after, row.version = now, now + PURGE_AFTER, row.version + 1
    return tuple(PurgeRequest(tenant_id, row.id) for row in living[:limit])


def _remove_files(store: Store, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    """Of purged collections."""
    gone = {row.id for row in store.collections.values() if row.tenant_id == tenant_id and row.purged_at is not None}
    found = [key for key, row in store.files.items() if key[0] == tenant_id and row.collection_id in gone][:limit]
    generations = sum(len(store.files[key].generations) for key in found)
    rows = {"generations": generations, "files": _forget(store.files, found)} if found else {}
    return Removed(rows=rows), len(found) == limit


def _remove_collections(store: Store, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    """Purged ones without files; what their receipts tell of this deletion is summed up."""
    full = {(row.tenant_id, row.collection_id) for row in store.files.values()}
    found = [
        key
        for key, row in store.collections.items()
        if key[0] == tenant_id and row.purged_at is not None and key not in full
    ][:limit]
    summed, rows = Removed(), Counter[str]()
    of_collections = [
        key for key, row in store.deletions.items() if (row.tenant_id, row.receipt.collection_id) in set(found)
    ]
    for key in of_collections:
        told = store.deletions.pop(key).receipt
        summed = summed.plus(told.removed) if told.part_of == deletion_id(tenant_id) else summed
    for key in found:
        collection = store.collections[key]
        rows.update(members=len(collection.members), indexes=len(collection.indexes))
    if found:
        rows["collections"] = _forget(store.collections, found)
        left = store.watchers.items()
        store.watchers = {key: row for key, row in left if (row.tenant_id, row.collection_id) not in found}
    return summed.plus(Removed(rows=rows)), len(found) == limit


def _remove_users(store: Store, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    """With their usage and keys, once no collection is left."""
    if _any_collection(store, tenant_id):
        return Removed(), False
    found = [key for key in store.users if key[0] == tenant_id][:limit]
    ids = {user_id for _, user_id in found}
    usage = [key for key in store.usage if key[0] == tenant_id and key[1] in ids]
    keys = [secret for secret, key in store.keys.items() if key.tenant_id == tenant_id and key.user_id in ids]
    rows = {
        "usage": _forget(store.usage, usage),
        "api_keys": _forget(store.keys, keys),
        "users": _forget(store.users, found),
    }
    return Removed(rows=rows if found else {}), len(found) == limit


def _forget(rows: MutableMapping[Key, Any], keys: Collection[Key]) -> int:
    for key in keys:
        del rows[key]
    return len(keys)


def _any_collection(store: Store, tenant_id: UUID) -> bool:
    return any(row.tenant_id == tenant_id for row in store.collections.values())
