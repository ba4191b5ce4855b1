"""Receipts of deletions: opened with the tombstone, completed once nothing is left and nothing can arrive."""

from collections import defaultdict
from collections.abc import Sequence
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
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.rows import OF_FILE, among, arrays, in_tenant
from modulo.adapters.postgres.tables import deletions, files, generations, parts
from modulo.adapters.postgres.utc_timestamp import Moment
from modulo.domain.files.file import Stage
from modulo.domain.operations.deletion import (
    DIRECT_UPLOAD_TIMEOUT,
    DeletionKind,
    Inventory,
    ReceiptRevision,
    Removed,
    deletion_id,
    open_until,
)
from modulo.domain.tenancy.identity import Principal

REVISION = (deletions.c.id.label("deletion_id"), deletions.c.revision, deletions.c.removed, deletions.c.held)
"""The columns of a `ReceiptRevision`."""


def open_receipts(
    connection: Connection,
    tenant_id: UUID,
    found: Sequence[RowMapping],
    requested_by: UUID | None,
    *,
    of: Sequence[RowMapping] | None = None,
    part_of: UUID | None = None,
    now: datetime,
) -> None:
    """Begin the receipts of collections that are about to be tombstoned, or of files of the one collection found."""
    targets = [(row, row) for row in found] if of is None else [(row, found[0]) for row in of]
    ids = [row["id"] for row, _ in targets]
    moments = _arrivals(connection, tenant_id, files.c.collection_id if of is None else files.c.id, ids)
    if of is None:
        for row in _join_whole(connection, tenant_id, ids):
            moments[row.collection_id].append(row.open_until)
    given = arrays(
        id=(Uuid(), map(deletion_id, ids)),
        target_id=(Uuid(), ids),
        collection_id=(Uuid(), [collection["id"] for _, collection in targets]),
        name=(Text(), [row["name"] for row, _ in targets]),
        owner_id=(Uuid(), [collection["owner_id"] for _, collection in targets]),
        open_until=(Moment(), [open_until(moments[target_id], now=now) for target_id in ids]),
    )
    values = {
        "tenant_id": literal(tenant_id, Uuid()),
        "kind": literal((DeletionKind.collection if of is None else DeletionKind.file).value),
        "requested_by": literal(requested_by, Uuid()),
        "requested_at": literal(now, Moment()),
        "part_of": literal(part_of, Uuid()),
        **{column.name: column for column in given.c},
    }
    rows = select(*(cast(value, deletions.c[name].type).label(name) for name, value in values.items()))
    connection.execute(insert(deletions).from_select(list(values), rows))


def _arrivals(
    connection: Connection, tenant_id: UUID, by: ColumnElement[UUID], ids: Sequence[UUID]
) -> defaultdict[UUID, list[datetime | None]]:
    """By file or collection, until when something may arrive: by a presigned form, a direct upload or a worker."""
    created = func.max(generations.c.created_at).filter(generations.c.stage == Stage.awaiting_upload.value)
    leased = func.max(generations.c.lease_until).filter(generations.c.claim_token.is_not(None))
    statement = (
        select(
            by,
            created.label("created"),
            func.max(generations.c.arrives_until),
            leased,
            func.max(parts.c.lease_until),
        )
        .select_from(files)
        .join(generations, OF_FILE)
        .outerjoin(
            parts,
            and_(
                parts.c.tenant_id == generations.c.tenant_id,
                parts.c.file_id == generations.c.file_id,
                parts.c.generation == generations.c.number,
            ),
        )
        .where(in_tenant(tenant_id, files), among(by, ids))
        .group_by(by)
    )
    found: defaultdict[UUID, list[datetime | None]] = defaultdict(list)
    for target_id, direct, *others in connection.execute(statement):
        found[target_id] = [direct + DIRECT_UPLOAD_TIMEOUT if direct else None, *others]
    return found


def _join_whole(connection: Connection, tenant_id: UUID, collection_ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Make unfinished deletions of files part of their collection's; until when each of them is open."""
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


def insert_completed_receipt(
    connection: Connection,
    principal: Principal,
    kind: DeletionKind,
    target_id: UUID,
    removed: Removed,
    *,
    now: datetime,
) -> None:
    """The receipt of what only the metadata held, and holds no longer once this transaction ends."""
    values = {
        "tenant_id": principal.tenant_id,
        "id": deletion_id(target_id),
        "kind": kind.value,
        "target_id": target_id,
        "name": "",
        "owner_id": principal.user_id,
        "requested_by": principal.user_id,
        "requested_at": now,
        "started_at": now,
        "removed": removed.model_dump(mode="json"),
        "proved_at": now,
        "completed_at": now,
    }
    connection.execute(insert(deletions).values(values))


def receipt_revision(row: RowMapping) -> ReceiptRevision:
    """The revision of a joined receipt, from the columns `REVISION`."""
    return ReceiptRevision(
        row["deletion_id"],
        row["revision"],
        Removed.model_validate(row["removed"]),
        Inventory.model_validate(row["held"]),
    )


def lock_proof(
    connection: Connection, tenant_id: UUID, known: ReceiptRevision, *, now: datetime
) -> tuple[bool, datetime | None]:
    """Lock the receipt; whether it proves that nothing is left, and until when something may arrive."""
    proof = and_(is_revision(tenant_id, known), deletions.c.proved_at.is_not(None))
    row = connection.execute(select(deletions.c.open_until).where(proof).with_for_update()).one_or_none()
    return row is not None, open_until([row.open_until], now=now) if row else None


def close_receipt(
    connection: Connection, tenant_id: UUID, known: ReceiptRevision, released: int, *, completed_at: datetime | None
) -> None:
    """Record the released storage and, where given, the completion, also of the receipts that are part of it."""
    removed = known.removed.plus(Removed(storage_bytes=released)).model_dump(mode="json")
    values = {"revision": known.revision + 1, "removed": removed, "completed_at": completed_at}
    whole = update(deletions).values(values).where(is_revision(tenant_id, known)).returning(deletions.c.proved_at)
    proved_at = connection.execute(whole).scalar_one()
    if completed_at is not None:
        part = and_(in_tenant(tenant_id, deletions), deletions.c.part_of == known.id)
        held = known.inventory.model_dump(mode="json")
        ended = {"held": held, "proved_at": proved_at, "completed_at": completed_at}
        connection.execute(update(deletions).values(ended).where(part))


def is_revision(tenant_id: UUID, known: ReceiptRevision) -> ColumnElement[bool]:
    """The receipt, if nobody recorded anything in it since."""
    return and_(in_tenant(tenant_id, deletions), deletions.c.id == known.id, deletions.c.revision == known.revision)
