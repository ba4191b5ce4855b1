"""Sweeps and purges in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from modulo.adapters.memory_metadata.ingestion import end_failed
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store
from modulo.domain.collection import Space
from modulo.domain.file import FileRef, Stage
from modulo.domain.generation import ASK_AGAIN_AFTER, DEADLINE_EXCEEDED, NEVER_UPLOADED, overdue, requeued, stalled
from modulo.domain.transfer import Purge, PurgeRequest, Swept

Row = TypeVar("Row", CollectionRow, FileRow, GenerationRow)


def sweep(store: Store, *, now: datetime, limit: int) -> Swept:
    """End the overdue, take up the stalled, name the unpurged."""
    rows = [(file, row) for file in store.files.values() for row in file.generations]
    found = [living for file, row in rows if (living := store.living(file.ref(row))) is not None]
    late = sorted((row for row in found if overdue(row[2], now)), key=lambda row: row[2].deadline)[:limit]
    lost = sorted((row for row in found if stalled(row[2], now)), key=lambda row: row[2].lease_until or now)[:limit]
    generations = [row for file in store.files.values() for row in file.generations]
    due = (
        _due(store.collections.values(), now)[:limit],
        _due(store.files.values(), now)[:limit],
        _due(generations, now)[:limit],
    )
    waiting = {
        "failed": [row[2].deadline for row in late],
        "requeue": [row[2].lease_until for row in lost if row[2].lease_until],
        "purge": [row.purge_after for rows in due for row in rows if row.purge_after],
    }
    return Swept(
        failed=tuple(_end(store, *row, now) for row in late),
        requeue=tuple(_requeue(file, newest, now) for _, file, newest in lost),
        purge=tuple(_ask_for_purges(store, *due, now)),
        since={kind: min(moments) for kind, moments in waiting.items() if moments},
        more=any(len(rows) == limit for rows in (late, lost, *due)),
    )


def _end(store: Store, collection: CollectionRow, file: FileRow, newest: GenerationRow, now: datetime) -> FileRef:
    why = NEVER_UPLOADED if newest.stage is Stage.awaiting_upload else DEADLINE_EXCEEDED
    end_failed(store, collection, newest, why, now)
    return file.ref(newest)


def _requeue(file: FileRow, newest: GenerationRow, now: datetime) -> FileRef:
    newest.change(requeued(now))
    return file.ref(newest)


def _due(rows: Iterable[Row], now: datetime) -> list[Row]:
    """What should have been purged by now."""
    due = [(row.purge_after, row) for row in rows if row.purge_after is not None and row.purge_after <= now]
    return [row for _, row in sorted(due, key=lambda pair: pair[0])]


def _ask_for_purges(
    store: Store,
    collections: Iterable[CollectionRow],
    files: Iterable[FileRow],
    generations: Iterable[GenerationRow],
    now: datetime,
) -> Iterable[PurgeRequest]:
    """What is due is named again later where it still is not purged."""
    due: list[CollectionRow | FileRow | GenerationRow] = [*collections, *files, *generations]
    for row in due:
        row.purge_after = now + ASK_AGAIN_AFTER
    requests = [PurgeRequest(found.tenant_id, found.id, None) for found in collections]
    requests += [PurgeRequest(found.tenant_id, found.collection_id, found.id) for found in files]
    places = {id(generation): file for file in store.files.values() for generation in file.generations}
    for generation in generations:
        generation.retired_at = generation.retired_at or now
        file = places[id(generation)]
        requests.append(PurgeRequest(file.tenant_id, file.collection_id, file.id))
    return dict.fromkeys(requests)


def purge_of(store: Store, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
    """What is to be removed, or None where nothing is (any more)."""
    collection = store.collections.get((tenant_id, collection_id))
    if collection is None:
        return None
    if file_id is None:
        gone = collection.deleted_at is not None and collection.purged_at is None
        return Purge(collection.space, None, None, older=_older(collection)) if gone else None
    file = store.files.get((tenant_id, file_id))
    if file is None or file.collection_id != collection_id or file.purged_at is not None:
        return None
    if file.deleted_at is not None:
        return Purge(collection.space, file_id, None, older=_older(collection))
    left = [row for row in file.generations if row.purged_at is None]
    retired = [row for row in left if row.retired_at is not None]
    objects = {row.source for row in retired} - {row.source for row in left if row.retired_at is None}
    numbers = tuple(row.number for row in retired)
    return Purge(collection.space, file_id, numbers, tuple(sorted(objects)), _older(collection)) if retired else None


def _older(collection: CollectionRow) -> tuple[Space, ...]:
    others = sorted(collection.indexes.keys() - {collection.index_number})
    return tuple(collection.made_with(number)[0] for number in others)


def purged(store: Store, purge: Purge, *, now: datetime) -> None:
    """Record that nothing is left of it, and give its bytes back; once."""
    tenant_id, collection_id = purge.space.tenant_id, purge.space.collection_id
    collection = store.collections.get((tenant_id, collection_id))
    if collection is None:
        return
    files = [row for row in store.files.values() if (row.tenant_id, row.collection_id) == (tenant_id, collection_id)]
    if purge.file_id is None:
        if collection.deleted_at is None or collection.purged_at is not None:
            return
        collection.purged_at, collection.purge_after = now, None
    else:
        files = [row for row in files if row.id == purge.file_id]
    for file in files:
        if purge.generations is not None:
            listed = [row for row in file.generations if row.number in purge.generations and row.retired_at]
            _pass_on(file, listed)
            _forget(store, collection, listed, now, stage=None)
        elif purge.file_id is None or (file.deleted_at is not None and file.purged_at is None):
            file.deleted_at = file.deleted_at or now
            file.purged_at, file.purge_after = file.purged_at or now, None
            _forget(store, collection, file.generations, now, stage=Stage.deleted)


def _pass_on(file: FileRow, gone: Sequence[GenerationRow]) -> None:
    """Charge the bytes of what goes to another generation made from the same object."""
    for row in gone:
        heirs = (one for one in file.family(row) if one.retired_at is None and one.purged_at is None)
        heir = next((one for one in heirs if one.stage is not Stage.failed), None)
        if row.charged and heir is not None:
            row.charged, heir.charged = False, True


def _forget(
    store: Store, collection: CollectionRow, generations: Sequence[GenerationRow], now: datetime, *, stage: Stage | None
) -> None:
    for generation in generations:
        if generation.charged:
            store.charge(collection, -generation.size_bytes)
        generation.charged = False
        generation.purged_at, generation.purge_after = generation.purged_at or now, None
        if stage is not None:
            generation.stage = stage
            generation.claim_token = generation.lease_until = None
