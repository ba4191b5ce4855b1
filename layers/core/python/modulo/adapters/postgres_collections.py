"""Collections and their members in Postgres."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.metadata_rules import id_taken, name_key, require
from modulo.adapters.postgres_announcing import WATCHED
from modulo.adapters.postgres_deletions import open_receipts
from modulo.adapters.postgres_identities import introduce
from modulo.adapters.postgres_rows import MEMBERSHIP, changing, collection, collections_of, in_tenant, locked
from modulo.adapters.postgres_tables import collections, members, users
from modulo.domain.collection import Chunking, Collection
from modulo.domain.errors import NotFound
from modulo.domain.generation import PURGE_AFTER
from modulo.domain.identity import Principal, Role
from modulo.domain.quota import exceeded
from modulo.domain.transfer import CollectionDraft, Cursor
from modulo.domain.value import Listing


def create_collection(
    connection: Connection, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
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
        "created_at": now,
        "updated_at": now,
    }
    created = (
        insert(collections)
        .values(values)
        .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
        .returning(collections.c.tenant_id, collections.c.id, collections.c.owner_id)
        .cte("created")
    )
    owner = select(created.c.tenant_id, created.c.id, created.c.owner_id, literal(Role.owner.value))
    columns = ["tenant_id", "collection_id", "user_id", "role"]
    if connection.execute(insert(members).from_select(columns, owner).returning(members.c.role)).first():
        _count_collection(connection, principal, limit)
    found = get_collection(connection, principal, draft.id, missing=id_taken())
    if (found.owner_id, found.name) != (principal.user_id, draft.name):
        raise id_taken()
    return found


def _count_collection(connection: Connection, principal: Principal, limit: int) -> None:
    statement = (
        update(users)
        .values(collection_count=users.c.collection_count + 1)
        .where(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id, users.c.collection_count < limit)
    )
    if connection.execute(statement).rowcount == 0:
        raise exceeded("collections", limit)


def list_collections(
    connection: Connection, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
) -> Listing[Collection]:
    """One page, newest first."""
    order = tuple_(collections.c.created_at, collections.c.id)
    statement = collections_of(principal)
    if after is not None:
        statement = statement.where(order < (after.moment, after.id))
    if name is not None:
        statement = statement.where(collections.c.name_key.contains(name_key(name), autoescape=True))
    statement = statement.order_by(collections.c.created_at.desc(), collections.c.id.desc()).limit(limit + 1)
    found = [collection(row) for row in connection.execute(statement).mappings()]
    last = found[limit - 1] if len(found) > limit else None
    following = Cursor(last.created_at, last.id).encode() if last else None
    return Listing[Collection](items=tuple(found[:limit]), next=following)


def get_collection(
    connection: Connection, principal: Principal, collection_id: UUID, *, missing: Exception | None = None
) -> Collection:
    """One of them."""
    statement = collections_of(principal).where(collections.c.id == collection_id)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise missing or NotFound()
    return collection(row)


def update_collection(
    connection: Connection,
    principal: Principal,
    collection_id: UUID,
    *,
    name: str | None,
    chunking: Chunking | None,
    now: datetime,
) -> Collection:
    """Change what is not None."""
    locked(connection, principal, collection_id, Role.editor)
    values: dict[str, Any] = {}
    if name is not None:
        values |= {"name": name, "name_key": name_key(name)}
    if chunking is not None:
        values |= {"chunking": chunking.model_dump()}
    at = (in_tenant(principal.tenant_id, collections), collections.c.id == collection_id)
    if values:
        connection.execute(update(collections).values(values | {"updated_at": now}).where(*at))
    return get_collection(connection, principal, collection_id)


def tombstone_collection(connection: Connection, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
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
    changing(connection, row)
    open_receipts(connection, principal.tenant_id, [row], principal.user_id, now=now)
    gone = {"deleted_at": now, "purge_after": now + PURGE_AFTER, "version": collections.c.version + 1}
    connection.execute(update(collections).values(gone).where(*at))
    connection.execute(
        update(users)
        .values(collection_count=users.c.collection_count - 1)
        .where(in_tenant(principal.tenant_id, users), users.c.id == row["owner_id"])
    )
