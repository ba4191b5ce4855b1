"""Sweeps and purges in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from modulo.adapters.memory_metadata import letters
from modulo.adapters.memory_metadata.deletions import close_receipt, proven, tally_of
from modulo.adapters.memory_metadata.ingestion import end_failed
from modulo.adapters.memory_metadata.reembedding import turn_over, turns_over
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, Store, TenantRow
from modulo.domain.collection import Space
from modulo.domain.file import UNFINISHED, DocumentInfo, FileRef, Stage
from modulo.domain.generation import (
    ASK_AGAIN_AFTER,
    DEADLINE_EXCEEDED,
    FORGOTTEN,
    NEVER_UPLOADED,
    overdue,
    requeued,
    stalled,
)
from modulo.domain.transfer import Purge, PurgeRequest, Swept

Row = TypeVar("Row", TenantRow, CollectionRow, FileRow, GenerationRow)


def sweep(store: Store, *, now: datetime, limit: int) -> Swept:
    """End the overdue, take up the stalled, name the unpurged."""
    turn_over(store, now=now, limit=limit)
    rows = [(file, row) for file in store.files.values() for row in file.generations]
    found = [living for file, row in rows if (living := store.living(file.ref(row))) is not None]
    late = sorted((row for row in found if overdue(row[2], now)), key=lambda row: row[2].deadline)[:limit]
    lost = sorted((row for row in found if stalled(row[2], now)), key=lambda row: row[2].lease_until or now)[:limit]
    generations = [row for file in store.files.values() for row in file.generations]
    due = (
        _due(store.tenants.values(), now)[:limit],
        _due(store.collections.values(), now)[:limit],
        _due(store.files.values(), now)[:limit],
        _due(generations, now)[:limit],
    )
    waiting = {
        "failed": [row[2].deadline for row in late],
        "requeue": [row[2].lease_until for row in lost if row[2].lease_until],
        "purge": [row.purge_after for rows in due for row in rows if row.purge_after],
    }
    swept = Swept(
        failed=tuple(_end(store, *row, now) for row in late),
        requeue=tuple(_requeue(file, newest, now) for _, file, newest in lost),
        purge=tuple(_ask_for_purges(store, *due, now=now)),
        since={kind: min(moments) for kind, moments in waiting.items() if moments},
        more=any(len(rows) == limit for rows in (late, lost, *due)),
        forgotten=letters.forget_old(store, now=now, limit=limit),
    )
    return replace(swept, due=_next(store))


def _next(store: Store) -> datetime | None:
    """When something is next due."""
    generations = [row for file in store.files.values() for row in file.generations]
    unfinished = [row for row in generations if row.stage in UNFINISHED]
    purged = (store.tenants.values(), store.collections.values(), store.files.values(), generations)
    moments = [
        *(row.deadline for row in unfinished),
        *(row.lease_until for row in unfinished),
        *(row.purge_after for rows in purged for row in rows),
        turns_over(store),
    ]
    return min(filter(None, moments), default=None)


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
    tenants: Iterable[TenantRow],
    collections: Iterable[CollectionRow],
    files: Iterable[FileRow],
    generations: Iterable[GenerationRow],
    *,
    now: datetime,
) -> Iterable[PurgeRequest]:
    """What is due is named again later where it still is not purged."""
    due: list[TenantRow | CollectionRow | FileRow | GenerationRow] = [*tenants, *collections, *files, *generations]
    for row in due:
        row.purge_after = now + ASK_AGAIN_AFTER
    requests = [PurgeRequest(found.id) for found in tenants]
    requests += [PurgeRequest(found.tenant_id, found.id) for found in collections]
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
        return _tallied(store, Purge(collection.space, None, None, older=_older(collection))) if gone else None
    file = store.files.get((tenant_id, file_id))
    if file is None or file.collection_id != collection_id or file.purged_at or collection.deleted_at:
        return None
    if file.deleted_at is not None:
        return _tallied(store, Purge(collection.space, file_id, None, older=_older(collection)))
    left = [row for row in file.generations if row.purged_at is None]
    retired = [row for row in left if row.retired_at is not None]
    objects = {row.source for row in retired} - {row.source for row in left if row.retired_at is None}
    numbers = tuple(row.number for row in retired)
    return Purge(collection.space, file_id, numbers, tuple(sorted(objects)), _older(collection)) if retired else None


def _older(collection: CollectionRow) -> tuple[Space, ...]:
    others = sorted(collection.indexes.keys() - {collection.index_number})
    return tuple(collection.made_with(number)[0] for number in others)


def _tallied(store: Store, purge: Purge) -> Purge:
    return replace(purge, tally=tally_of(store, purge))


def purged(store: Store, purge: Purge, *, now: datetime) -> bool:
    """Record that nothing is left of it, and give its bytes back; once."""
    gone = _gone(store, purge)
    known, until = proven(store, purge.tenant_id, purge.tally, now=now) if purge.tally else (True, None)
    if gone is None or not known:
        return False
    collection, files = gone
    generations = [
        generation
        for file in files
        for generation in file.generations
        if purge.generations is None or (generation.number in purge.generations and generation.retired_at)
    ]
    if purge.generations is not None:
        _pass_on(files[0], generations)
    released = sum(_released(store, collection, generation) for generation in generations)
    whole: Sequence[CollectionRow | FileRow] = files if purge.file_id else [collection]
    if until is not None:
        for row in whole:
            row.purge_after = until
    else:
        for row in () if purge.generations else (*whole, *files):
            row.deleted_at, row.purged_at = row.deleted_at or now, row.purged_at or now
            row.purge_after, row.name = None, ""
        for file in () if purge.generations else files:
            file.aliases.clear()
        for generation in generations:
            generation.purged_at, generation.purge_after = generation.purged_at or now, None
            if purge.generations is None:
                generation.change(FORGOTTEN)
                generation.document, generation.parts = DocumentInfo(), []
    if purge.tally is not None:
        close_receipt(store, purge.tenant_id, purge.tally, released, completed_at=None if until else now)
    letters.forget_purged(store)
    return True


def _gone(store: Store, purge: Purge) -> tuple[CollectionRow, list[FileRow]] | None:
    """The collection and those of its files that the purge is of; None where that lives, or was purged before."""
    collection = store.collections.get((purge.tenant_id, purge.collection_id))
    if collection is None:
        return None
    at = (purge.tenant_id, purge.collection_id)
    files = [row for row in store.files.values() if (row.tenant_id, row.collection_id) == at]
    if purge.file_id is None:
        return (collection, files) if collection.deleted_at and not collection.purged_at else None
    files = [row for row in files if row.id == purge.file_id]
    if purge.generations is None:
        files = [row for row in files if row.deleted_at and not row.purged_at]
    return (collection, files) if files else None


def _pass_on(file: FileRow, gone: Sequence[GenerationRow]) -> None:
    """Charge the bytes of what goes to another generation made from the same object."""
    for row in gone:
        heirs = (one for one in file.family(row) if one.retired_at is None and one.purged_at is None)
        heir = next((one for one in heirs if one.stage is not Stage.failed), None)
        if row.charged and heir is not None:
            row.charged, heir.charged = False, True


def _released(store: Store, collection: CollectionRow, generation: GenerationRow) -> int:
    """Give a generation's bytes back, if they were charged."""
    size = generation.size_bytes if generation.charged else 0
    store.charge(collection, -size)
    generation.charged = False
    return size
