"""The receipts of deletions in Postgres."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Text,
    Uuid,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres_moment import Moment
from modulo.adapters.postgres_rows import among, arrays, in_tenant
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
from modulo.domain.transfer import Cursor
from modulo.domain.value import Listing

_RECEIPT = tuple(deletions.c[name] for name in Deletion.model_fields if name in deletions.c)
TALLY = (deletions.c.id.label("deletion_id"), deletions.c.revision, deletions.c.removed, deletions.c.held)
"""The columns of a `Tally`."""


def open_receipts(
    connection: Connection,
    tenant_id: UUID,
    found: Sequence[RowMapping],
    requested_by: UUID | None,
    *,
    file: RowMapping | None = None,
    part_of: UUID | None = None,
    now: datetime,
) -> None:
    """Begin the receipts of collections that are about to be tombstoned, or of one file of one of them."""
    ids = [row["id"] for row in found]
    moments = _arrivals(connection, tenant_id, ids, file)
    if file is None:
        for row in _made_part(connection, tenant_id, ids):
            moments[row.collection_id].append(row.open_until)
    targets = [file] if file else found
    given = arrays(
        id=(Uuid(), [deletion_id(row["id"]) for row in targets]),
        target_id=(Uuid(), [row["id"] for row in targets]),
        collection_id=(Uuid(), ids),
        name=(Text(), [row["name"] for row in targets]),
        owner_id=(Uuid(), [row["owner_id"] for row in found]),
        open_until=(Moment(), [still_open(moments[collection_id], now=now) for collection_id in ids]),
    )
    values = {
        "tenant_id": literal(tenant_id, Uuid()),
        "kind": literal((DeletionKind.file if file else DeletionKind.collection).value),
        "requested_by": literal(requested_by, Uuid()),
        "requested_at": literal(now, Moment()),
        "part_of": literal(part_of, Uuid()),
        **{column.name: column for column in given.c},
    }
    rows = select(*(cast(value, deletions.c[name].type).label(name) for name, value in values.items()))
    connection.execute(insert(deletions).from_select(list(values), rows))


def _arrivals(
    connection: Connection, tenant_id: UUID, collection_ids: Sequence[UUID], file: RowMapping | None
) -> defaultdict[UUID, list[datetime | None]]:
    """By collection, until when something may still come: by a form, directly, or from who ingests it."""
    created = func.max(generations.c.created_at).filter(generations.c.stage == Stage.awaiting_upload.value)
    leased = func.max(generations.c.lease_until).filter(generations.c.claim_token.is_not(None))
    statement = (
        select(
            files.c.collection_id,
            created.label("created"),
            func.max(generations.c.arrives_until),
            leased,
            func.max(parts.c.lease_until),
        )
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
        .where(in_tenant(tenant_id, files), among(files.c.collection_id, collection_ids))
        .group_by(files.c.collection_id)
    )
    if file is not None:
        statement = statement.where(files.c.id == file["id"])
    found: defaultdict[UUID, list[datetime | None]] = defaultdict(list)
    for collection_id, direct, *others in connection.execute(statement):
        found[collection_id] = [direct + DIRECT_UPLOAD if direct else None, *others]
    return found


def _made_part(connection: Connection, tenant_id: UUID, collection_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Make the deletions of files that are under way part of their collections'; until when these are open."""
    given = arrays(id=(Uuid(), collection_ids), whole=(Uuid(), map(deletion_id, collection_ids)))
    statement = (
        update(deletions)
        .values(part_of=given.c.whole, revision=deletions.c.revision + 1)
        .where(
            in_tenant(tenant_id, deletions),
            deletions.c.collection_id == given.c.id,
            deletions.c.completed_at.is_(None),
        )
        .returning(deletions.c.collection_id, deletions.c.open_until)
    )
    return connection.execute(statement).all()


def tally(row: RowMapping) -> Tally:
    """The tally of a joined receipt."""
    return Tally(
        row["deletion_id"],
        row["revision"],
        Removed.model_validate(row["removed"]),
        Held.model_validate(row["held"]),
    )


def record(
    connection: Connection, tenant_id: UUID, known: Tally, held: Held, *, cached: int, now: datetime
) -> Tally | None:
    """Record what is held now, in one conditional update."""
    then = known.then(held, cached=cached)
    values = {
        "revision": then.revision,
        "removed": then.removed.model_dump(mode="json"),
        "held": then.held.model_dump(mode="json"),
        "started_at": func.coalesce(deletions.c.started_at, now),
        "proved_at": now if held.nothing else None,
    }
    changed = connection.execute(update(deletions).values(values).where(_as_known(tenant_id, known)))
    return then if changed.rowcount else None


def proven(connection: Connection, tenant_id: UUID, known: Tally, *, now: datetime) -> tuple[bool, datetime | None]:
    """Hold the receipt: whether it proves what the purge knows, and until when something may still come."""
    proof = and_(_as_known(tenant_id, known), deletions.c.proved_at.is_not(None))
    row = connection.execute(select(deletions.c.open_until).where(proof).with_for_update()).one_or_none()
    return row is not None, still_open([row.open_until], now=now) if row else None


def close_receipt(
    connection: Connection, tenant_id: UUID, known: Tally, released: int, *, completed_at: datetime | None
) -> None:
    """Record the quota given back and, once nothing can come any more, the end; also of what is part of it."""
    removed = known.removed.plus(Removed(storage_bytes=released)).model_dump(mode="json")
    values = {"revision": known.revision + 1, "removed": removed, "completed_at": completed_at}
    whole = update(deletions).values(values).where(_as_known(tenant_id, known)).returning(deletions.c.proved_at)
    proved_at = connection.execute(whole).scalar_one()
    if completed_at is not None:
        part = and_(in_tenant(tenant_id, deletions), deletions.c.part_of == known.id)
        held = known.held.model_dump(mode="json")
        ended = {"held": held, "proved_at": proved_at, "completed_at": completed_at}
        connection.execute(update(deletions).values(ended).where(part))


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


def find_deletion(connection: Connection, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
    """Any receipt of a tenant."""
    statement = select(*_RECEIPT, deletions.c.held, deletions.c.proved_at)
    found = statement.where(in_tenant(tenant_id, deletions), deletions.c.id == deletion_id)
    row = connection.execute(found).mappings().one_or_none()
    return receipt(row) if row else None


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
