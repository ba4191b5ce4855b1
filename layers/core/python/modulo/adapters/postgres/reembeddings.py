"""Re-embeddings: another index is built beside the one that searches see, and the two change places."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    exists,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.index_switch import (
    COUNTERPART,
    FAILED,
    change_collection,
    count_files,
    counterparts,
    drop_other_index,
    latest_index,
    switch,
)
from modulo.adapters.postgres.locks import locked
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.reindexed_generations import add_reindexed
from modulo.adapters.postgres.rows import MEMBERSHIP, in_tenant, visible
from modulo.adapters.postgres.tables import collections, files, generations, indexes, members
from modulo.domain.collections.reembedding import (
    MAX_LISTED_FAILURES,
    MAX_QUEUED_AT_START,
    FailedFile,
    IndexProgress,
    OwnedCollection,
    Reembedding,
    ReembeddingDraft,
    ReembeddingState,
    StartedReembedding,
    already_open,
    never_started,
    phase,
    progress_fields,
    wrong_state,
)
from modulo.domain.errors import NotFound
from modulo.domain.tenancy.identity import Principal, Role


class PostgresReembeddings(Pooled):
    """Re-embeddings of collections."""

    @transaction
    def start_reembedding(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        draft: ReembeddingDraft,
        *,
        now: datetime,
    ) -> StartedReembedding:
        """Open another index and queue every live file for it."""
        collection = locked(connection, principal, collection_id, Role.owner)
        known = latest_index(connection, collection)
        if known is not None and known["draft_id"] == draft.id:
            return StartedReembedding(_view(connection, collection, known, now), ())
        if collection["other_index"] is not None:
            raise already_open()
        number = max(collection["index_number"], known["number"] if known else 1) + 1
        place = {"tenant_id": principal.tenant_id, "collection_id": collection_id}
        own = {"embedding_model": collection["embedding_model"], "chunking": collection["chunking"]}
        first = insert(indexes).values(place | own | {"number": collection["index_number"]})
        connection.execute(first.on_conflict_do_nothing())
        values = {
            "number": number,
            "embedding_model": draft.model.model_dump(mode="json"),
            "chunking": draft.chunking.model_dump() if draft.chunking else own["chunking"],
            "state": ReembeddingState.building.value,
            "draft_id": draft.id,
            "replaces": collection["index_number"],
            "auto_switch": draft.auto_switch,
            "keep_seconds": draft.keep_seconds,
            "started_at": now,
        }
        made = connection.execute(insert(indexes).values(place | values).returning(indexes)).mappings().one()
        changed = change_collection(connection, collection, {"other_index": number, "updated_at": now})
        is_live = exists().where(
            in_tenant(principal.tenant_id, files),
            files.c.collection_id == collection_id,
            files.c.deleted_at.is_(None),
            files.c.id == generations.c.file_id,
            files.c.live_generation == generations.c.number,
        )
        every = and_(in_tenant(principal.tenant_id, generations), is_live)
        queued = add_reindexed(connection, every, number, now, collection_id=collection_id)
        return StartedReembedding(_view(connection, changed, made, now), queued[:MAX_QUEUED_AT_START])

    @read
    def list_owned(
        self, connection: Connection, tenant_id: UUID, *, after: UUID | None, limit: int
    ) -> list[OwnedCollection]:
        """Some collections of the tenant, by id."""
        living = (in_tenant(tenant_id, collections), collections.c.deleted_at.is_(None))
        statement = select(collections.c.id, collections.c.owner_id).where(*living).order_by(collections.c.id)
        if after is not None:
            statement = statement.where(collections.c.id > after)
        found = connection.execute(statement.limit(limit)).mappings()
        return [OwnedCollection.model_validate(dict(row)) for row in found]

    @transaction
    def get_reembedding(
        self, connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime
    ) -> Reembedding:
        """The latest one."""
        return _latest(connection, principal, collection_id, now)

    @transaction
    def move_reembedding(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        to: ReembeddingState,
        *,
        leave_out: bool,
        now: datetime,
    ) -> Reembedding:
        """Switch to the index that was built, or back."""
        collection = locked(connection, principal, collection_id, Role.owner)
        known = _open_index(connection, collection)
        needed = ReembeddingState.building if to is ReembeddingState.switched else ReembeddingState.switched
        if known["state"] != needed:
            raise wrong_state(needed)
        count_files(connection, collection).check(leave_out=leave_out)
        switch(connection, collection, known, now)
        return _latest(connection, principal, collection_id, now)

    @transaction
    def cancel_reembedding(
        self, connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime
    ) -> Reembedding:
        """Drop the index that searches do not see."""
        collection = locked(connection, principal, collection_id, Role.owner)
        drop_other_index(connection, collection, _open_index(connection, collection), now)
        return _latest(connection, principal, collection_id, now)


def _latest(connection: Connection, principal: Principal, collection_id: UUID, now: datetime) -> Reembedding:
    statement = select(collections).join(members, MEMBERSHIP).where(visible(principal, collection_id))
    collection = connection.execute(statement).mappings().one_or_none()
    if collection is None:
        raise NotFound
    known = latest_index(connection, collection)
    if known is None:
        raise never_started()
    return _view(connection, collection, known, now)


def _open_index(connection: Connection, collection: RowMapping) -> RowMapping:
    """The index of the re-embedding that has not ended.

    Raises:
        NotFound: there was no re-embedding.
        Conflict: the latest one has ended.
    """
    known = latest_index(connection, collection)
    if known is None:
        raise never_started()
    if known["ended_at"] is not None:
        raise wrong_state(ReembeddingState(known["state"]))
    return known


def _view(connection: Connection, collection: RowMapping, known: RowMapping, now: datetime) -> Reembedding:
    state = ReembeddingState(known["state"])
    progress = IndexProgress()
    failures: tuple[FailedFile, ...] = ()
    shown: dict[str, object] = {}
    if known["ended_at"] is None:
        progress = count_files(connection, collection)
        shown = progress_fields(progress, state=state, started_at=known["started_at"], now=now)
    if progress.failed:
        which = counterparts(collection, files.c.id, files.c.name, COUNTERPART.c.problem)
        rows = connection.execute(which.where(FAILED).order_by(files.c.name).limit(MAX_LISTED_FAILURES))
        failures = tuple(FailedFile(file_id=id_, name=name, problem=problem) for id_, name, problem in rows)
    return Reembedding.model_validate(
        {
            "collection_id": collection["id"],
            "state": phase(state, progress),
            "embedding_model": known["embedding_model"]["name"],
            "rollback_until": known["kept_until"],
            "failures": failures,
            **{name: known[name] for name in ("chunking", "auto_switch", "started_at", "switched_at", "ended_at")},
            **shown,
        }
    )
