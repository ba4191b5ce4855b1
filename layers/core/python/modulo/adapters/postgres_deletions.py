"""The receipts of deletions in Postgres."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_rows import in_tenant
from modulo.adapters.postgres_tables import deletions, files, generations, parts
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

_RECEIPT = tuple(deletions.c[name] for name in Deletion.model_fields if name in deletions.c)
TALLY = (deletions.c.id.label("deletion_id"), deletions.c.revision, deletions.c.removed, deletions.c.held)
"""The columns of a `Tally`."""


def open_receipt(
    connection: Connection,
    principal: Principal,
    collection: RowMapping,
    file: RowMapping | None = None,
    *,
    now: datetime,
) -> None:
    """Begin the receipt of a file or collection that is about to be tombstoned."""
    target = file or collection
    moments = _arrivals(connection, principal.tenant_id, collection["id"], file["id"] if file else None)
    receipt_id = deletion_id(target["id"])
    if file is None:
        moments += _made_part(connection, principal.tenant_id, collection["id"], receipt_id)
    values = {
        "tenant_id": principal.tenant_id,
        "id": receipt_id,
        "kind": (DeletionKind.file if file else DeletionKind.collection).value,
        "target_id": target["id"],
        "collection_id": collection["id"],
        "name": target["name"],
        "owner_id": collection["owner_id"],
        "requested_by": principal.user_id,
        "requested_at": now,
        "open_until": still_open(moments, now=now),
    }
    connection.execute(insert(deletions).values(values))


def _arrivals(
    connection: Connection, tenant_id: UUID, collection_id: UUID, file_id: UUID | None
) -> list[datetime | None]:
    """Until when something may still come of the generations: by a form, directly, or from who ingests them."""
    created = func.max(generations.c.created_at).filter(generations.c.stage == Stage.awaiting_upload.value)
    leased = func.max(generations.c.lease_until).filter(generations.c.claim_token.is_not(None))
    statement = (
        select(created, func.max(generations.c.arrives_until), leased, func.max(parts.c.lease_until))
        .select_from(files)
        .join(generations, and_(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id))
        .outerjoin(
            parts,
            and_(
                parts.c.tenant_id == generations.c.tenant_id,
                parts.c.file_id == generations.c.file_id,
                parts.c.generation == generations.c.number,
            ),
        )
        .where(in_tenant(tenant_id, files), files.c.collection_id == collection_id)
    )
    if file_id is not None:
        statement = statement.where(files.c.id == file_id)
    direct, *others = connection.execute(statement).one()
    return [direct + DIRECT_UPLOAD if direct else None, *others]


def _made_part(connection: Connection, tenant_id: UUID, collection_id: UUID, whole: UUID) -> list[datetime | None]:
    """Make the deletions of files that are under way part of the collection's; until when these are open."""
    statement = (
        update(deletions)
        .values(part_of=whole, revision=deletions.c.revision + 1)
        .where(
            in_tenant(tenant_id, deletions),
            deletions.c.collection_id == collection_id,
            deletions.c.completed_at.is_(None),
        )
        .returning(deletions.c.open_until)
    )
    return list(connection.execute(statement).scalars())


def tally(row: RowMapping) -> Tally | None:
    """The tally of a joined receipt; None where there is none."""
    if row["deletion_id"] is None:
        return None
    return Tally(
        row["deletion_id"],
        row["revision"],
        Removed.model_validate(row["removed"]),
        Held.model_validate(row["held"]),
    )


def record(connection: Connection, purge: Purge, held: Held, *, cached: int, now: datetime) -> Purge | None:
    """Record what is held now, in one conditional update."""
    if purge.tally is None:
        return None
    then = purge.tally.then(held, cached=cached)
    values = {
        "revision": then.revision,
        "removed": then.removed.model_dump(mode="json"),
        "held": then.held.model_dump(mode="json"),
        "started_at": func.coalesce(deletions.c.started_at, now),
        "proved_at": now if held.nothing else None,
    }
    changed = connection.execute(update(deletions).values(values).where(_as_known(purge.tenant_id, purge.tally)))
    return replace(purge, tally=then) if changed.rowcount else None


def proven(connection: Connection, purge: Purge, *, now: datetime) -> tuple[bool, datetime | None]:
    """Hold the receipt: whether it proves what the purge knows, and until when something may still come."""
    if purge.tally is None:
        return True, None
    proof = and_(_as_known(purge.tenant_id, purge.tally), deletions.c.proved_at.is_not(None))
    row = connection.execute(select(deletions.c.open_until).where(proof).with_for_update()).one_or_none()
    return row is not None, still_open([row.open_until], now=now) if row else None


def settle(connection: Connection, purge: Purge, released: int, *, completed_at: datetime | None) -> None:
    """Record the quota given back and, once nothing can come any more, the end; also of what is part of it."""
    if purge.tally is None:
        return
    removed = purge.tally.removed.plus(Removed(storage_bytes=released)).model_dump(mode="json")
    values = {"revision": purge.tally.revision + 1, "removed": removed, "completed_at": completed_at}
    whole = update(deletions).values(values).where(_as_known(purge.tenant_id, purge.tally))
    proved_at = connection.execute(whole.returning(deletions.c.proved_at)).scalar_one()
    if completed_at is not None and purge.file_id is None:
        part = and_(in_tenant(purge.tenant_id, deletions), deletions.c.part_of == purge.tally.id)
        held = purge.tally.held.model_dump(mode="json")
        proven = {"held": held, "proved_at": proved_at, "completed_at": completed_at}
        connection.execute(update(deletions).values(proven).where(part))


def _as_known(tenant_id: UUID, known: Tally) -> ColumnElement[bool]:
    return and_(in_tenant(tenant_id, deletions), deletions.c.id == known.id, deletions.c.revision == known.revision)


def list_deletions(
    connection: Connection, principal: Principal, *, after: Cursor | None, limit: int
) -> Listing[Deletion]:
    """One page, newest first: of what the caller asked for and of what they owned, each by its index."""
    newest = (deletions.c.requested_at.desc(), deletions.c.id.desc())
    asked, owned = (
        select(deletions.c.tenant_id, deletions.c.id, deletions.c.requested_at)
        .where(in_tenant(principal.tenant_id, deletions), who == principal.user_id)
        .where(*_behind(after))
        .order_by(*newest)
        .limit(limit + 1)
        .subquery()
        for who in (deletions.c.requested_by, deletions.c.owner_id)
    )
    ids = union(select(asked.c.id), select(owned.c.id)).subquery()
    statement = (
        select(*_RECEIPT, deletions.c.held, deletions.c.proved_at)
        .join(ids, ids.c.id == deletions.c.id)
        .where(in_tenant(principal.tenant_id, deletions))
        .order_by(*newest)
        .limit(limit + 1)
    )
    found = [receipt(row) for row in connection.execute(statement).mappings()]
    last = found[limit - 1] if len(found) > limit else None
    following = Cursor(last.requested_at, last.id).encode() if last else None
    return Listing[Deletion](items=tuple(found[:limit]), next=following)


def _behind(after: Cursor | None) -> Iterable[ColumnElement[bool]]:
    if after is not None:
        yield tuple_(deletions.c.requested_at, deletions.c.id) < (after.moment, after.id)


def get_deletion(connection: Connection, principal: Principal, deletion_id: UUID) -> Deletion:
    """One of them."""
    statement = select(*_RECEIPT, deletions.c.held, deletions.c.proved_at).where(
        in_tenant(principal.tenant_id, deletions),
        deletions.c.id == deletion_id,
        or_(deletions.c.requested_by == principal.user_id, deletions.c.owner_id == principal.user_id),
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound
    return receipt(row)


def receipt(row: RowMapping) -> Deletion:
    """A receipt as it is told."""
    told: dict[str, Any] = {column.name: row[column.name] for column in _RECEIPT}
    proved_at = row["proved_at"]
    return Deletion.model_validate(told | {"proof": Proof(**row["held"], checked_at=proved_at) if proved_at else None})


def forget_deletions(connection: Connection, *, before: datetime, limit: int) -> int:
    """Drop the receipts that were completed longest ago."""
    old = (
        select(deletions.c.tenant_id, deletions.c.id)
        .where(deletions.c.completed_at < before)
        .order_by(deletions.c.completed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    at = (deletions.c.tenant_id == old.c.tenant_id, deletions.c.id == old.c.id)
    return connection.execute(delete(deletions).where(*at)).rowcount
