"""The storage that generations are charged to collections and to their owners."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Connection,
    Uuid,
    case,
    select,
    update,
)

from modulo.adapters.postgres.rows import arrays, in_tenant
from modulo.adapters.postgres.tables import collections, generations, users
from modulo.domain.files.file import FileRef
from modulo.domain.tenancy.quota import quota_exceeded

_before = generations.alias("before")

WAS_CHARGED = (
    select(case((_before.c.charged, _before.c.size_bytes), else_=0))
    .where(_before.c.tenant_id == generations.c.tenant_id, _before.c.file_id == generations.c.file_id)
    .where(_before.c.number == generations.c.number)
    .scalar_subquery()
    .label("was_charged")
)
"""The bytes that an updated generation was charged before; the collection must be locked."""


def uncharge(connection: Connection, released: Mapping[tuple[UUID, UUID], int]) -> None:
    """Give storage back to collections, by tenant and id, and to their owners; the collections are locked."""
    amounts = {key: size for key, size in released.items() if size}
    if not amounts:
        return
    given = arrays(
        tenant_id=(Uuid(), [tenant for tenant, _ in amounts]),
        id=(Uuid(), [collection_id for _, collection_id in amounts]),
        bytes=(BigInteger(), list(amounts.values())),
    )
    owners: dict[tuple[UUID, UUID], int] = {}
    returned = connection.execute(
        update(collections)
        .values(storage_bytes=collections.c.storage_bytes - given.c.bytes)
        .where(collections.c.tenant_id == given.c.tenant_id, collections.c.id == given.c.id)
        .returning(collections.c.tenant_id, collections.c.owner_id, given.c.bytes)
    )
    for tenant_id, owner_id, size in returned:
        owners[tenant_id, owner_id] = owners.get((tenant_id, owner_id), 0) + size
    owed = arrays(
        tenant_id=(Uuid(), [tenant for tenant, _ in owners]),
        id=(Uuid(), [owner_id for _, owner_id in owners]),
        bytes=(BigInteger(), list(owners.values())),
    )
    connection.execute(
        update(users)
        .values(storage_bytes=users.c.storage_bytes - owed.c.bytes)
        .where(users.c.tenant_id == owed.c.tenant_id, users.c.id == owed.c.id)
    )


def charge(connection: Connection, ref: FileRef, owner_id: UUID, size: int, limit: int) -> None:
    """Charge storage to a generation's collection, which is locked, and to its owner.

    Raises:
        QuotaExceeded: it does not fit the owner's quota.
    """
    connection.execute(
        update(collections)
        .values(storage_bytes=collections.c.storage_bytes + size)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == ref.collection_id)
    )
    if not charge_owner(connection, ref.tenant_id, owner_id, size, limit):
        raise quota_exceeded("storage_bytes", limit)


def charge_owner(connection: Connection, tenant_id: UUID, owner_id: UUID, size: int, limit: int) -> bool:
    """Take storage from the owner's quota in one conditional update; False where it does not fit."""
    statement = (
        update(users)
        .values(storage_bytes=users.c.storage_bytes + size)
        .where(in_tenant(tenant_id, users), users.c.id == owner_id, users.c.storage_bytes + size <= limit)
    )
    return connection.execute(statement).rowcount == 1
