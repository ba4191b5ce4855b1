"""Tenants, and how a deleted one is removed step by step.

The tombstone is the fence: no user is added to a tenant that has one, and all that a tenant has refers to its users.
Whoever adds something meanwhile holds the tenant or a user until the end of their transaction, which the removal of
these waits for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.pools import Pooled, autocommit, read, transaction
from modulo.adapters.postgres.receipts import REVISION, close_receipt, lock_proof, open_receipts, receipt_revision
from modulo.adapters.postgres.rows import OF_COLLECTION, among, in_tenant
from modulo.adapters.postgres.tables import (
    api_keys,
    collections,
    conversations,
    deletions,
    files,
    generations,
    indexes,
    members,
    messages,
    tenants,
    usage,
    user_files,
    users,
)
from modulo.domain.errors import NotFound
from modulo.domain.files.generation import PURGE_AFTER, REPEAT_AFTER
from modulo.domain.operations.deletion import DeletionKind, ReceiptRevision, Removed, deletion_id
from modulo.domain.operations.purge import PurgeRequest, TenantPurgeStep
from modulo.domain.tenancy.identity import Tenant


class PostgresTenants(Pooled):
    """Tenants, and how a deleted one is taken apart."""

    @transaction
    def add_tenant(self, connection: Connection, tenant: Tenant) -> None:
        """Store the tenant, unless it is there."""
        connection.execute(insert(tenants).values(id=tenant.id, name=tenant.name).on_conflict_do_nothing())

    @read
    def list_tenants(
        self, connection: Connection, *, after: UUID | None, limit: int, name: str | None = None
    ) -> list[Tenant]:
        """Some tenants, by id."""
        statement = select(tenants.c.id, tenants.c.name, tenants.c.deleted_at).order_by(tenants.c.id).limit(limit)
        if after is not None:
            statement = statement.where(tenants.c.id > after)
        if name is not None:
            statement = statement.where(tenants.c.name == name)
        return [Tenant.model_validate(dict(row)) for row in connection.execute(statement).mappings()]

    @autocommit
    def tenant_deleted(self, connection: Connection, tenant_id: UUID) -> bool:
        """Whether there is a tombstone."""
        statement = select(tenants.c.id).where(tenants.c.id == tenant_id, tenants.c.deleted_at.is_not(None))
        return connection.execute(statement).first() is not None

    @transaction
    def tombstone_tenant(self, connection: Connection, tenant_id: UUID, *, now: datetime) -> None:
        """Set the tombstone; once. Deletions of collections that are under way become part of the tenant's."""
        statement = select(tenants.c.name, tenants.c.deleted_at).where(tenants.c.id == tenant_id)
        row = connection.execute(statement.with_for_update(key_share=True)).one_or_none()
        if row is None:
            raise NotFound("There is no such tenant.")
        if row.deleted_at is not None:
            return
        gone = {"deleted_at": now, "purge_after": now + PURGE_AFTER}
        connection.execute(update(tenants).values(gone).where(tenants.c.id == tenant_id))
        under_way = (deletions.c.kind == DeletionKind.collection.value, deletions.c.completed_at.is_(None))
        whole = deletion_id(tenant_id)
        connection.execute(update(deletions).values(part_of=whole).where(in_tenant(tenant_id, deletions), *under_way))
        values = {"tenant_id": tenant_id, "id": whole, "kind": DeletionKind.tenant.value, "target_id": tenant_id}
        connection.execute(insert(deletions).values(values | {"name": row.name, "requested_at": now}))

    @transaction
    def dismantle(
        self, connection: Connection, tenant_id: UUID, *, now: datetime, limit: int
    ) -> TenantPurgeStep | None:
        """One step; a second one waits for the first."""
        tombstoned = (tenants.c.id == tenant_id, tenants.c.deleted_at.is_not(None), tenants.c.purged_at.is_(None))
        if connection.execute(select(tenants.c.id).where(*tombstoned).with_for_update()).first() is None:
            return None
        asked = {"purge_after": now + REPEAT_AFTER}
        connection.execute(update(tenants).values(asked).where(tenants.c.id == tenant_id))
        requests = tombstone_collections(connection, tenant_id, now, limit, part_of=deletion_id(tenant_id))
        removed, more = Removed(), len(requests) == limit
        for step in (_remove_conversations, _remove_files, _remove_collections, _remove_users):
            if not more and not (step is _remove_users and _any_collection(connection, tenant_id)):
                went, more = step(connection, tenant_id, limit)
                removed = removed.plus(went)
        summed = _add(connection, tenant_id, removed)
        left = more or _any_collection(connection, tenant_id)
        return TenantPurgeStep(requests, more, None if left else summed)

    @transaction
    def end_tenant(self, connection: Connection, tenant_id: UUID, receipt: ReceiptRevision, *, now: datetime) -> bool:
        """Leave the tombstone only."""
        proven, _ = lock_proof(connection, tenant_id, receipt, now=now)
        if not proven:
            return False
        gone = {"purged_at": now, "purge_after": None, "name": ""}
        connection.execute(update(tenants).values(gone).where(tenants.c.id == tenant_id))
        close_receipt(connection, tenant_id, receipt, 0, completed_at=now)
        return True


def tombstone_collections(
    connection: Connection, tenant_id: UUID, now: datetime, limit: int, *which: ColumnElement[bool], part_of: UUID
) -> tuple[PurgeRequest, ...]:
    """Tombstone living collections of the tenant that meet the conditions, as a part of a larger deletion."""
    living = (
        select(collections.c.id, collections.c.name, collections.c.owner_id)
        .where(in_tenant(tenant_id, collections), collections.c.deleted_at.is_(None), *which)
        .limit(limit)
        .with_for_update(key_share=True)
    )
    found = connection.execute(living).mappings().all()
    if not found:
        return ()
    open_receipts(connection, tenant_id, found, None, part_of=part_of, now=now)
    gone = {"deleted_at": now, "purge_after": now + PURGE_AFTER, "version": collections.c.version + 1}
    these = among(collections.c.id, [row["id"] for row in found])
    connection.execute(update(collections).values(gone).where(in_tenant(tenant_id, collections), these))
    return tuple(PurgeRequest(tenant_id, row["id"]) for row in found)


def _remove_conversations(connection: Connection, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    some = select(conversations.c.id).where(in_tenant(tenant_id, conversations)).limit(limit)
    ids = connection.scalars(some.with_for_update()).all()  # as everywhere, before their messages
    rows = remove_rows(connection, tenant_id, ids, messages.c.conversation_id, conversations.c.id)
    return Removed(rows=rows), len(ids) == limit


def _remove_files(connection: Connection, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    """Delete files of purged collections; their parts go with their generations."""
    ids = connection.scalars(
        select(files.c.id)
        .join(collections, OF_COLLECTION)
        .where(in_tenant(tenant_id, files, collections), collections.c.purged_at.is_not(None))
        .limit(limit)
    ).all()
    rows = remove_rows(connection, tenant_id, ids, generations.c.file_id, files.c.id)
    return Removed(rows=rows), len(ids) == limit


def _remove_collections(connection: Connection, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    """Delete purged collections without files, and add up what their receipts say of this deletion."""
    ids = connection.scalars(
        select(collections.c.id)
        .where(in_tenant(tenant_id, collections), collections.c.purged_at.is_not(None))
        .where(~exists().where(OF_COLLECTION))
        .limit(limit)
    ).all()
    if not ids:
        return Removed(), False
    of_collections = (in_tenant(tenant_id, deletions), among(deletions.c.collection_id, ids))
    ours = select(deletions.c.removed).where(*of_collections, deletions.c.part_of == deletion_id(tenant_id))
    summed = Removed()
    for removed in connection.scalars(ours):
        summed = summed.plus(Removed.model_validate(removed))
    connection.execute(delete(deletions).where(*of_collections))
    columns = (members.c.collection_id, indexes.c.collection_id, collections.c.id)
    rows = remove_rows(connection, tenant_id, ids, *columns)
    return summed.plus(Removed(rows=rows)), len(ids) == limit


def _remove_users(connection: Connection, tenant_id: UUID, limit: int) -> tuple[Removed, bool]:
    ids = connection.scalars(select(users.c.id).where(in_tenant(tenant_id, users)).limit(limit)).all()
    rows = remove_rows(
        connection, tenant_id, ids, usage.c.user_id, api_keys.c.user_id, user_files.c.user_id, users.c.id
    )
    return Removed(rows=rows), len(ids) == limit


def remove_rows(connection: Connection, tenant_id: UUID, ids: Sequence[UUID], *columns: Column[UUID]) -> dict[str, int]:
    """Delete the rows whose column holds one of the ids, in that order; how many went of each table."""
    rows: Counter[str] = Counter()
    if ids:
        for column in columns:
            statement = delete(column.table).where(in_tenant(tenant_id, column.table), among(column, ids))
            rows[column.table.name] = connection.execute(statement).rowcount
    return dict(rows)


def _any_collection(connection: Connection, tenant_id: UUID) -> bool:
    return (
        connection.execute(select(collections.c.id).where(in_tenant(tenant_id, collections)).limit(1)).first()
        is not None
    )


def _add(connection: Connection, tenant_id: UUID, removed: Removed) -> ReceiptRevision:
    """The tenant's receipt with what a step removed."""
    at = (in_tenant(tenant_id, deletions), deletions.c.id == deletion_id(tenant_id))
    found = receipt_revision(connection.execute(select(*REVISION).where(*at).with_for_update()).mappings().one())
    if removed == Removed():
        return found
    then = replace(found, revision=found.revision + 1, removed=found.removed.plus(removed))
    values = {"revision": then.revision, "removed": then.removed.model_dump(mode="json")}
    connection.execute(update(deletions).values(values).where(*at))
    return then
