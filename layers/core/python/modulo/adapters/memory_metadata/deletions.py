"""The receipts of deletions in memory."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from modulo.adapters.memory_metadata.store import CollectionRow, DeletionRow, FileRow, GenerationRow, Store
from modulo.domain.deletion import (
    DIRECT_UPLOAD,
    Deletion,
    DeletionKind,
    Held,
    Proof,
    Removed,
    Tally,
    deletion_id,
    still_open,
)
from modulo.domain.errors import NotFound
from modulo.domain.file import Stage
from modulo.domain.identity import Principal
from modulo.domain.transfer import Cursor, Purge
from modulo.domain.value import Listing


def open_receipt(
    store: Store,
    collection: CollectionRow,
    file: FileRow | None = None,
    *,
    requested_by: UUID | None,
    part_of: UUID | None = None,
    now: datetime,
) -> None:
    """Begin the receipt of a file or collection that is tombstoned now."""
    target = file or collection
    found = [file] if file else [row for row in store.files.values() if row.collection_id == collection.id]
    under_way = [] if file else _under_way(store, collection)
    moments = [moment for row in found for generation in row.generations for moment in _arrivals(generation)]
    moments += [row.receipt.open_until for row in under_way]
    receipt = Deletion(
        id=deletion_id(target.id),
        kind=DeletionKind.file if file else DeletionKind.collection,
        target_id=target.id,
        collection_id=collection.id,
        name=target.name,
        requested_by=requested_by,
        part_of=part_of,
        requested_at=now,
        open_until=still_open(moments, now=now),
    )
    store.deletions[collection.tenant_id, receipt.id] = DeletionRow(collection.tenant_id, collection.owner_id, receipt)
    for row in under_way:
        row.change(part_of=receipt.id)
        row.revision += 1


def _under_way(store: Store, collection: CollectionRow) -> list[DeletionRow]:
    """The deletions of the collection's files that are not completed."""
    at = (collection.tenant_id, collection.id)
    return [
        row
        for row in store.deletions.values()
        if (row.tenant_id, row.receipt.collection_id) == at and row.receipt.completed_at is None
    ]


def _arrivals(generation: GenerationRow) -> Iterator[datetime | None]:
    """Until when something may still come of a generation: by its form, directly, or from who ingests it."""
    yield generation.arrives_until
    if generation.stage is Stage.awaiting_upload:
        yield generation.created_at + DIRECT_UPLOAD
    yield generation.lease_until if generation.claim_token else None
    yield from (part.lease_until for part in generation.parts)


def tally_of(store: Store, purge: Purge) -> Tally | None:
    """The receipt's tally, where there is one."""
    target = purge.file_id or purge.collection_id
    row = store.deletions.get((purge.tenant_id, deletion_id(target)))
    return row.tally if row else None


def record(store: Store, tenant_id: UUID, known: Tally, held: Held, *, cached: int, now: datetime) -> Tally | None:
    """Record what is held now."""
    row = _row(store, tenant_id, known)
    if row is None:
        return None
    tally = known.then(held, cached=cached)
    row.revision, row.held = tally.revision, tally.held
    row.change(
        removed=tally.removed,
        started_at=row.receipt.started_at or now,
        proof=Proof(**held.model_dump(), checked_at=now) if held.nothing else None,
    )
    return tally


def proven(store: Store, tenant_id: UUID, known: Tally, *, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the receipt proves what the purge knows, and until when something may still come."""
    row = _row(store, tenant_id, known)
    if row is None or row.receipt.proof is None:
        return False, None
    return True, still_open([row.receipt.open_until], now=now)


def close_receipt(store: Store, tenant_id: UUID, known: Tally, released: int, *, completed_at: datetime | None) -> None:
    """Record the quota given back and, once nothing can come any more, the end; also of what is part of it."""
    row = store.deletions[tenant_id, known.id]
    row.revision += 1
    row.change(removed=known.removed.plus(Removed(storage_bytes=released)), completed_at=completed_at)
    for part in store.deletions.values() if completed_at else ():
        if (part.tenant_id, part.receipt.part_of) == (tenant_id, known.id):
            part.change(completed_at=completed_at, proof=row.receipt.proof)


def _row(store: Store, tenant_id: UUID, known: Tally) -> DeletionRow | None:
    """The receipt, if it is still as the purge knows it."""
    row = store.deletions.get((tenant_id, known.id))
    return row if row and row.revision == known.revision else None


def find_deletion(store: Store, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
    """Any receipt of a tenant."""
    row = store.deletions.get((tenant_id, deletion_id))
    return row.receipt if row else None


def list_deletions(store: Store, principal: Principal, *, after: Cursor | None, limit: int) -> Listing[Deletion]:
    """One page, newest first."""
    found = sorted(
        (
            row.receipt
            for row in store.deletions.values()
            if _tells(row, principal)
            and (after is None or (row.receipt.requested_at, row.receipt.id) < (after.moment, after.id))
        ),
        key=lambda receipt: (receipt.requested_at, receipt.id),
        reverse=True,
    )
    following = Cursor(found[limit - 1].requested_at, found[limit - 1].id).encode() if len(found) > limit else None
    return Listing[Deletion](items=tuple(found[:limit]), next=following)


def get_deletion(store: Store, principal: Principal, deletion_id: UUID) -> Deletion:
    """One of them."""
    row = store.deletions.get((principal.tenant_id, deletion_id))
    if row is None or not _tells(row, principal):
        raise NotFound
    return row.receipt


def _tells(row: DeletionRow, principal: Principal) -> bool:
    return row.tenant_id == principal.tenant_id and principal.user_id in (row.owner_id, row.receipt.requested_by)


def forget_deletions(store: Store, *, before: datetime, limit: int) -> int:
    """Drop the receipts that were completed longest ago."""
    ended = [(row.receipt.completed_at, key) for key, row in store.deletions.items() if row.receipt.completed_at]
    old = sorted(pair for pair in ended if pair[0] < before)[:limit]
    for _, key in old:
        del store.deletions[key]
    return len(old)
