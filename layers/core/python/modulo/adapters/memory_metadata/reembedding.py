"""Re-embeddings in memory: an index is built beside the current one, and the two change places at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from modulo.adapters.memory_metadata.files import retire
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow, IndexRow, Store
from modulo.adapters.memory_metadata.twins import add_twin
from modulo.domain.file import Stage
from modulo.domain.identity import Principal, Role
from modulo.domain.reembedding import (
    FIRST_QUEUED,
    MOST_FAILURES,
    FailedFile,
    Reembedding,
    ReembeddingDraft,
    Started,
    State,
    Tally,
    counted,
    never,
    not_in,
    phase,
    under_way,
)


def start(
    store: Store, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
) -> Started:
    """Open another index and queue every live file for it."""
    collection = store.visible(principal, collection_id, Role.owner)
    known = collection.latest
    if known is not None and known.draft_id == draft.id:
        return Started(_view(store, collection, known, now), ())
    if collection.other_index is not None:
        raise under_way()
    collection.indexes.setdefault(collection.index_number, IndexRow(collection.model, collection.chunking))
    number = max(collection.indexes) + 1
    made = IndexRow(
        draft.model,
        draft.chunking or collection.chunking,
        state=State.building,
        draft_id=draft.id,
        auto_switch=draft.auto_switch,
        keep_seconds=draft.keep_seconds,
        started_at=now,
    )
    collection.indexes[number] = made
    collection.other_index, collection.updated_at = number, now
    live = [(file, file.live) for file in store.files_of(collection)]
    twins = [(file, row and add_twin(file, row, number, now)) for file, row in live]
    queued = [file.ref(row) for file, row in twins if row is not None]
    return Started(_view(store, collection, made, now), tuple(queued[:FIRST_QUEUED]))


def get(store: Store, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
    """The latest one."""
    collection = store.visible(principal, collection_id)
    if collection.latest is None:
        raise never()
    return _view(store, collection, collection.latest, now)


def move(
    store: Store, principal: Principal, collection_id: UUID, state: State, *, leave_out: bool, now: datetime
) -> Reembedding:
    """Switch to the index that was built, or back."""
    collection = store.visible(principal, collection_id, Role.owner)
    known = _open(collection)
    needed = State.building if state is State.switched else State.switched
    if known.state is not needed:
        raise not_in(needed)
    _tally(store, collection).check(leave_out=leave_out)
    _switch(store, collection, known, now)
    return _view(store, collection, known, now)


def end(store: Store, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
    """Give the index up that searches do not see."""
    collection = store.visible(principal, collection_id, Role.owner)
    known = _open(collection)
    _give_up(store, collection, known, now)
    return _view(store, collection, known, now)


def turn_over(store: Store, *, now: datetime, limit: int) -> None:
    """Switch what is complete and waits for no one, and give up what cannot be rolled back any more."""
    for collection in [row for row in store.collections.values() if row.other_index and not row.deleted_at][:limit]:
        known = _open(collection)
        if known.state is State.switched and known.kept_until is not None and known.kept_until <= now:
            _give_up(store, collection, known, now)
        elif known.state is State.building and known.auto_switch and _tally(store, collection).complete:
            _switch(store, collection, known, now)


def turns_over(store: Store) -> datetime | None:
    """When `turn_over` is next to look: once an index need not be kept, and while one waits to be complete, at once."""
    opened = [_open(row) for row in store.collections.values() if row.other_index and not row.deleted_at]
    kept = [known.kept_until for known in opened if known.state is State.switched]
    built = [known.started_at for known in opened if known.state is State.building and known.auto_switch]
    return min(filter(None, (*kept, *built)), default=None)


def _switch(store: Store, collection: CollectionRow, known: IndexRow, now: datetime) -> None:
    """Have searches see the other index, and keep the one they saw, or give it up where this is the way back."""
    back = known.state is State.switched
    old, new = collection.index_number, collection.other_index or 0
    collection.indexes[old].chunking = collection.chunking
    for file in store.files_of(collection):
        _point(file, new)
    collection.model, collection.chunking = collection.indexes[new].model, collection.indexes[new].chunking
    collection.index_number, collection.other_index = new, None if back else old
    collection.version += 1
    collection.updated_at = now
    if back:
        known.state, known.kept_until, known.ended_at = State.rolled_back, None, now
        _retire(store, collection, old, now)
    else:
        known.state, known.switched_at = State.switched, now
        known.kept_until = now + timedelta(seconds=known.keep_seconds)


def _point(file: FileRow, index: int) -> None:
    """Let the file's live and newest generation be what these are in the index."""
    of_index = [row for row in file.generations if row.index_number == index]
    live = [row for row in of_index if _ready(row)]
    same = [row for row in of_index if row.source == file.newest.source]
    same = [row for row in same if row.retired_at is None or row.stage is Stage.failed]
    file.live_generation = max(live, key=lambda row: (row.source, row.number)).number if live else None
    if same:
        file.generation = max(same, key=lambda row: (_ready(row), row.number)).number


def _give_up(store: Store, collection: CollectionRow, known: IndexRow, now: datetime) -> None:
    """Have the index purged that searches do not see."""
    _retire(store, collection, collection.other_index or 0, now)
    collection.other_index, collection.updated_at = None, now
    known.state = State.cancelled if known.state is State.building else known.state
    known.kept_until, known.ended_at = None, now


def _retire(store: Store, collection: CollectionRow, index: int, now: datetime) -> None:
    """Have what was made for an index purged; a file's newest generation that is not ready in it yet goes on."""
    for file in store.files_of(collection):
        for row in file.generations:
            if row.index_number == index and (row.stage is Stage.ready or row is not file.newest):
                retire(row, now)


def _open(collection: CollectionRow) -> IndexRow:
    known = collection.latest
    if known is None:
        raise never()
    if known.ended_at is not None or known.state is None:
        raise not_in(known.state or State.building)
    return known


def _ready(row: GenerationRow) -> bool:
    return row.stage is Stage.ready and row.retired_at is None


def _counterparts(
    store: Store, collection: CollectionRow
) -> Iterator[tuple[FileRow, GenerationRow, GenerationRow | None]]:
    """Each live generation, with what it is in the other index: it, or a later upload of the file."""
    for file in store.files_of(collection):
        if file.live is not None:
            source = file.live.source
            there = [row for row in file.generations if row.index_number == collection.other_index]
            there = [row for row in there if row.source >= source]
            there = [row for row in there if row.retired_at is None or row.stage is Stage.failed]
            yield file, file.live, max(there, key=lambda row: (_ready(row), row.number)) if there else None


def _tally(store: Store, collection: CollectionRow) -> Tally:
    found = list(_counterparts(store, collection))
    made = [twin for _, _, twin in found if twin is not None]
    return Tally(
        files=len(found),
        ready=sum(row.stage is Stage.ready for row in made),
        failed=sum(row.stage is Stage.failed for row in made),
        pages=sum((twin and twin.pages_total) or live.pages_total or live.pages_done for _, live, twin in found),
        pages_done=sum(row.pages_done for row in made),
        chunks=sum(row.chunk_count or 0 for row in made if row.stage is Stage.ready),
    )


def _view(store: Store, collection: CollectionRow, known: IndexRow, now: datetime) -> Reembedding:
    state, started_at = known.state or State.building, known.started_at or now
    is_open = known.ended_at is None
    tally = _tally(store, collection) if is_open else Tally()
    failures = [
        FailedFile(file_id=file.id, name=file.name, problem=twin.problem)
        for file, _, twin in (_counterparts(store, collection) if is_open else ())
        if twin is not None and twin.stage is Stage.failed and twin.problem is not None
    ]
    return Reembedding.model_validate(
        {
            "collection_id": collection.id,
            "state": phase(state, tally),
            "embedding_model": known.model.name,
            "chunking": known.chunking,
            "auto_switch": known.auto_switch,
            "failures": tuple(sorted(failures, key=lambda failure: failure.name)[:MOST_FAILURES]),
            "started_at": started_at,
            "switched_at": known.switched_at,
            "rollback_until": known.kept_until,
            "ended_at": known.ended_at,
            **(counted(tally, state=state, started_at=started_at, now=now) if is_open else {}),
        }
    )
