"""Collections."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    Select,
    Uuid,
    bindparam,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from modulo.adapters.postgres.announcements import WATCHED
from modulo.adapters.postgres.identities import introduce
from modulo.adapters.postgres.locks import locked, note_change
from modulo.adapters.postgres.pools import Pooled, read, transaction
from modulo.adapters.postgres.receipts import open_receipts
from modulo.adapters.postgres.rows import MEMBERSHIP, NEWEST, OF_COLLECTION, SHOWN_STAGE, in_tenant
from modulo.adapters.postgres.rules import id_taken, name_key, name_taken, printable, require, stages
from modulo.adapters.postgres.tables import collections, files, generations, members, users
from modulo.adapters.postgres.windows import PLACE, page_of, windowed
from modulo.domain.collections.collection import Chunking, Collection, CollectionDraft, CollectionEntry, status_of
from modulo.domain.errors import NotFound
from modulo.domain.files.generation import PURGE_AFTER
from modulo.domain.pagination import Cursor, Listing, Page, Window
from modulo.domain.retrieval.search_defaults import SearchDefaults
from modulo.domain.tenancy.identity import Principal, Role
from modulo.domain.tenancy.quota import quota_exceeded

_ENTRIES = (
    select(collections.c.id, collections.c.name, collections.c.created_at)
    .join(members, MEMBERSHIP)
    .where(in_tenant(bindparam("tenant_id", type_=Uuid()), collections, members))
    .where(members.c.user_id == bindparam("user_id", type_=Uuid()), collections.c.deleted_at.is_(None))
    .order_by(collections.c.created_at.desc(), collections.c.id.desc())
    .limit(bindparam("entries", type_=Integer()))
)
_NAMED = _ENTRIES.where(collections.c.name_key == bindparam("name_key"))
"""What stands before every question to a model by its name, built once."""


class PostgresCollections(Pooled):
    """Collections."""

    @transaction
    def create_collection(
        self, connection: Connection, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
    ) -> Collection:
        """Create it, or answer with what the same draft created before."""
        introduce(connection, principal)
        values = {
            "tenant_id": principal.tenant_id,
            "id": draft.id,
            "name": draft.name,
            "name_key": name_key(draft.name),
            "owner_id": principal.user_id,
            "embedding_model": draft.model.model_dump(mode="json"),
            "chunking": draft.chunking.model_dump(),
            "dedicated": draft.dedicated,
            "description": draft.description,
            "metadata": dict(draft.metadata),
            "expires_after_days": draft.expires_after_days or None,
            "search_defaults": draft.search_defaults.model_dump(mode="json", exclude_none=True),
            "last_active_at": now,
            "created_at": now,
            "updated_at": now,
        }
        # By any unique index: with the primary key alone, the same draft at once may break the index of names first.
        created = (
            insert(collections)
            .values(values)
            .on_conflict_do_nothing()
            .returning(collections.c.tenant_id, collections.c.id, collections.c.owner_id)
            .cte("created")
        )
        owner = select(created.c.tenant_id, created.c.id, created.c.owner_id, literal(Role.owner.value))
        columns = ["tenant_id", "collection_id", "user_id", "role"]
        if connection.execute(insert(members).from_select(columns, owner).returning(members.c.role)).first():
            _count_collection(connection, principal, limit)
        found = _find(connection, principal, draft.id)
        if found is None:
            is_stored = select(
                exists().where(in_tenant(principal.tenant_id, collections), collections.c.id == draft.id)
            )
            raise id_taken() if connection.execute(is_stored).scalar_one() else name_taken()
        if (found.owner_id, found.name) != (principal.user_id, draft.name):
            raise id_taken()
        return found

    @read
    def list_collections(
        self, connection: Connection, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
    ) -> Listing[Collection]:
        """One page, newest first."""
        order = tuple_(collections.c.created_at, collections.c.id)
        statement = _collections_of(principal)
        if after is not None:
            statement = statement.where(order < (after.moment, after.id))
        if name is not None:
            statement = statement.where(collections.c.name_key.contains(name_key(name), autoescape=True))
        statement = statement.order_by(collections.c.created_at.desc(), collections.c.id.desc()).limit(limit + 1)
        found = [_collection(row) for row in connection.execute(statement).mappings()]
        last = found[limit - 1] if len(found) > limit else None
        following = Cursor(last.created_at, last.id).encode() if last else None
        return Listing[Collection](items=tuple(found[:limit]), next=following)

    @read
    def page_collections(self, connection: Connection, principal: Principal, window: Window) -> Page[Collection]:
        """One window of them."""
        visible = in_tenant(principal.tenant_id, members) & (members.c.user_id == principal.user_id)
        within = exists().where(visible, members.c.collection_id == PLACE["collections"].c.id)
        statement = windowed(_collections_of(principal), collections, window, within)
        found = [_collection(row) for row in connection.execute(statement).mappings()]
        return page_of(connection, found, collections, window, within)

    @read
    def list_entries(
        self, connection: Connection, principal: Principal, *, name: str | None, limit: int
    ) -> list[CollectionEntry]:
        """What it takes to choose one."""
        if name is not None and name != printable(name):
            return []
        asked = {"tenant_id": principal.tenant_id, "user_id": principal.user_id, "entries": limit}
        if name is not None:
            asked["name_key"] = name_key(name)
        statement = _ENTRIES if name is None else _NAMED
        return [CollectionEntry(*row) for row in connection.execute(statement, asked)]

    @read
    def get_collection(self, connection: Connection, principal: Principal, collection_id: UUID) -> Collection:
        """One of them."""
        return _visible(connection, principal, collection_id)

    @transaction
    def update_collection(
        self,
        connection: Connection,
        principal: Principal,
        collection_id: UUID,
        *,
        name: str | None,
        chunking: Chunking | None,
        description: str | None = None,
        metadata: Mapping[str, str] | None = None,
        expires_after_days: int | None = None,
        search_defaults: SearchDefaults | None = None,
        now: datetime,
    ) -> Collection:
        """Change what is not None; names are unique for their owner, so that only the owner may change one."""
        of_owner = name is not None or expires_after_days is not None
        locked(connection, principal, collection_id, Role.owner if of_owner else Role.editor)
        values: dict[str, Any] = {}
        if description is not None:
            values |= {"description": description}
        if metadata is not None:
            values |= {"metadata": dict(metadata)}
        if expires_after_days is not None:
            values |= {"expires_after_days": expires_after_days or None, "last_active_at": now}
        if name is not None:
            values |= {"name": name, "name_key": name_key(name)}
        if search_defaults is not None:
            values |= {"search_defaults": search_defaults.model_dump(mode="json", exclude_none=True)}
        if chunking is not None:
            values |= {"chunking": chunking.model_dump()}
        at = (in_tenant(principal.tenant_id, collections), collections.c.id == collection_id)
        if values:
            connection.execute(update(collections).values(values | {"updated_at": now}).where(*at))
        return _visible(connection, principal, collection_id)

    @transaction
    def tombstone_collection(
        self, connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime
    ) -> None:
        """Make it and its files invisible; once."""
        at = (in_tenant(principal.tenant_id, collections), collections.c.id == collection_id)
        statement = (
            select(members.c.role, collections, WATCHED)
            .join(collections, MEMBERSHIP)
            .where(in_tenant(principal.tenant_id, members), members.c.user_id == principal.user_id, *at)
            .with_for_update(of=collections, key_share=True)
        )
        row = connection.execute(statement).mappings().one_or_none()
        role = row["role"] if row and (row["deleted_at"] is None or row["role"] == Role.owner) else None
        require(role, Role.owner)
        if row is None or row["deleted_at"] is not None:
            return
        note_change(connection, row)
        open_receipts(connection, principal.tenant_id, [row], principal.user_id, now=now)
        gone = {"deleted_at": now, "purge_after": now + PURGE_AFTER, "version": collections.c.version + 1}
        connection.execute(update(collections).values(gone).where(*at))
        connection.execute(
            update(users)
            .values(collection_count=users.c.collection_count - 1)
            .where(in_tenant(principal.tenant_id, users), users.c.id == row["owner_id"])
        )


def _visible(connection: Connection, principal: Principal, collection_id: UUID) -> Collection:
    found = _find(connection, principal, collection_id)
    if found is None:
        raise NotFound
    return found


def _find(connection: Connection, principal: Principal, collection_id: UUID) -> Collection | None:
    statement = _collections_of(principal).where(collections.c.id == collection_id)
    row = connection.execute(statement).mappings().one_or_none()
    return _collection(row) if row else None


def _count_collection(connection: Connection, principal: Principal, limit: int) -> None:
    statement = (
        update(users)
        .values(collection_count=users.c.collection_count + 1)
        .where(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id, users.c.collection_count < limit)
    )
    if connection.execute(statement).rowcount == 0:
        raise quota_exceeded("collections", limit)


def _collections_of(principal: Principal) -> Select[Any]:
    """The living collections the principal is a member of, as `collection` reads them."""
    counts = (
        select(SHOWN_STAGE, func.count().label("files"))
        .select_from(files)
        .join(generations, NEWEST)
        .where(OF_COLLECTION, files.c.deleted_at.is_(None))
        .group_by(SHOWN_STAGE.element)
        .correlate(collections)
        .subquery()
    )
    by_stage = select(func.jsonb_object_agg(counts.c.stage, counts.c.files, type_=JSONB)).scalar_subquery()
    return (
        select(collections, members.c.role, by_stage.label("stages"))
        .join(members, MEMBERSHIP)
        .where(
            in_tenant(principal.tenant_id, collections, members),
            members.c.user_id == principal.user_id,
            collections.c.deleted_at.is_(None),
        )
    )


def _collection(row: RowMapping) -> Collection:
    """A collection as its members see it."""
    by_stage = stages(row["stages"] or {})
    return Collection(
        id=row["id"],
        name=row["name"],
        status=status_of(by_stage),
        role=Role(row["role"]),
        owner_id=row["owner_id"],
        embedding_model=row["embedding_model"]["name"],
        chunking=row["chunking"],
        dedicated=row["dedicated"],
        version=row["version"],
        files=by_stage,
        storage_bytes=row["storage_bytes"],
        description=row["description"],
        metadata=row["metadata"],
        expires_after_days=row["expires_after_days"],
        search_defaults=row["search_defaults"],
        last_active_at=row["last_active_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
