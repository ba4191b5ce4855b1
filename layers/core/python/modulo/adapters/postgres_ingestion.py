"""Claims, progress and ends of ingestion in Postgres: every step is fenced by the claim's token."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Update, and_, case, func, or_, select, update

from modulo.adapters.metadata_rules import document, problem
from modulo.adapters.postgres_announcing import WATCHED, note
from modulo.adapters.postgres_parts import (
    CLAIMED,
    LIVING,
    advance_part,
    claim_of,
    forget_parts,
    generation_of,
    lock_part,
    release_part,
)
from modulo.adapters.postgres_rows import WAS_CHARGED, changing, in_tenant, lock_collection, stored, uncharge
from modulo.adapters.postgres_tables import collections, files, generations
from modulo.adapters.postgres_twins import IS_PAID_FOR, add_missing, retired
from modulo.adapters.postgres_uploads import charge_owner
from modulo.domain.dates import begin
from modulo.domain.file import WAITING, WORKING, DocumentInfo, FileProblem, FileRef, Stage
from modulo.domain.generation import REVIVED, ended, failed
from modulo.domain.quota import exceeded
from modulo.domain.transfer import Claim

_RETRYABLE = and_(
    generations.c.stage == Stage.failed.value,
    generations.c.problem["retryable"].as_boolean(),
    generations.c.retired_at.is_(None),
)


def claim(
    connection: Connection, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
) -> Claim | None:
    """Take a generation that waits, or whose worker's lease has run out."""
    free = or_(
        generations.c.stage.in_([stage.value for stage in WAITING]),
        and_(generations.c.stage.in_([stage.value for stage in WORKING]), generations.c.lease_until <= now),
    )
    changes = {
        "deadline": case((generations.c.attempt == 0, deadline), else_=generations.c.deadline),
        "pages_done": case((generations.c.divided, generations.c.pages_done), else_=0),
        "started_at": case((generations.c.divided, generations.c.started_at), else_=now),
    }
    return _take(connection, ref, free, version=version, now=now, lease_until=lease_until, **changes)


def retry(
    connection: Connection, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
) -> Claim | None:
    """Take a generation that failed for a passing reason.

    Raises:
        QuotaExceeded: its bytes, given back when it failed, no longer fit.
    """
    this = (LIVING, generation_of(ref), _RETRYABLE)
    row = connection.execute(select(collections.c.owner_id, generations.c.storage_limit).where(*this)).one_or_none()
    if row is None or not lock_collection(connection, ref.tenant_id, ref.collection_id):
        return None
    paid_for = connection.execute(select(IS_PAID_FOR).where(*this)).scalar_one_or_none()
    anew = {"deadline": deadline, "pages_done": 0, "started_at": now, **REVIVED, "charged": not paid_for}
    taken = _take(connection, ref, _RETRYABLE, version=version, now=now, lease_until=lease_until, **anew)
    if taken is None:
        return None
    forget_parts(connection, ref)
    if paid_for:
        return taken
    connection.execute(
        update(collections)
        .values(storage_bytes=collections.c.storage_bytes + taken.size_bytes)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == ref.collection_id)
    )
    if not charge_owner(connection, ref.tenant_id, row.owner_id, taken.size_bytes, row.storage_limit):
        raise exceeded("storage_bytes", row.storage_limit)
    return taken


def advance(
    connection: Connection,
    claimed: Claim,
    stage: Stage,
    *,
    pages_done: int | None,
    pages_total: int | None,
    lease_until: datetime,
    now: datetime,
) -> bool:
    """Record progress and keep the lease."""
    if claimed.part is not None:
        return advance_part(connection, claimed, pages_done=pages_done, lease_until=lease_until, now=now)
    pages = {"pages_done": pages_done, "pages_total": pages_total}
    values = {"stage": stage.value, "lease_until": lease_until, "updated_at": now}
    known = {name: number for name, number in pages.items() if number is not None}
    return _changed(connection, claimed, values | known)


def publish(
    connection: Connection,
    claimed: Claim,
    *,
    chunk_count: int,
    content_hash: str,
    info: DocumentInfo,
    checksum_sha256: str | None = None,
    now: datetime,
) -> bool:
    """Make the generation the live one, if searches see its index."""
    ref = claimed.ref
    collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
    if collection is None:
        return False
    found: dict[str, Any] = {"chunk_count": chunk_count, "content_hash": content_hash, "document": document(info)}
    found["checksum_sha256"] = func.coalesce(generations.c.checksum_sha256, checksum_sha256)
    found |= {"creation_date": begin(info.creation_date), "mod_date": begin(info.mod_date)}
    made = _held(claimed).values(stored(ended(Stage.ready, now)) | found).returning(generations.c.index_number)
    index = connection.execute(made).scalar_one_or_none()
    if index is None:
        return False
    forget_parts(connection, ref)
    changing(connection, collection)
    if index == collection["index_number"]:
        _go_live(connection, claimed.ref, now)
    add_missing(connection, collection, claimed.ref, index, now)
    return True


def _go_live(connection: Connection, ref: FileRef, now: datetime) -> None:
    """Have searches see the generation, and no older upload of the file any more."""
    connection.execute(
        update(files)
        .values(live_generation=ref.generation)
        .where(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id)
    )
    connection.execute(
        update(generations)
        .values(retired(now))
        .where(
            in_tenant(ref.tenant_id, generations),
            generations.c.file_id == ref.file_id,
            generations.c.source < (ref.source or ref.generation),
            generations.c.retired_at.is_(None),
        )
    )
    connection.execute(
        update(collections)
        .values(version=collections.c.version + 1, updated_at=now)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == ref.collection_id)
    )


def fail(connection: Connection, claimed: Claim, found: FileProblem, *, now: datetime) -> bool:
    """End the generation as failed and give its bytes back."""
    ref = claimed.ref
    collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
    if collection is None:
        return False
    values = stored(failed(found, now)) | {"problem": problem(found)}
    if claimed.part is not None and not lock_part(connection, claimed):
        return False
    changed = _held(claimed) if claimed.part is None else update(generations).where(LIVING, generation_of(ref))
    row = connection.execute(changed.values(values).returning(WAS_CHARGED)).one_or_none()
    if row is None:
        return False
    forget_parts(connection, ref)
    changing(connection, collection)
    uncharge(connection, {(ref.tenant_id, ref.collection_id): row.was_charged})
    return True


def release(connection: Connection, claimed: Claim, *, now: datetime) -> None:
    """Give the lease up."""
    if claimed.part is None:
        swept = {"lease_until": case((generations.c.divided, now), else_=None)}
        _changed(connection, claimed, stored(ended(Stage.queued, now)) | swept)
    else:
        release_part(connection, claimed)


def count_anew(connection: Connection, ref: FileRef) -> None:
    """Forget the attempts at a generation that failed for a passing reason."""
    connection.execute(update(generations).where(LIVING, generation_of(ref), _RETRYABLE).values(attempt=0))


def viable(connection: Connection, ref: FileRef) -> bool:
    """Whether the generation is its file's newest, neither deleted nor retired."""
    statement = select(generations.c.number).where(LIVING, generation_of(ref), generations.c.retired_at.is_(None))
    return connection.execute(statement).one_or_none() is not None


def _held(claimed: Claim) -> Update:
    """An update of the generation, as long as the claim holds."""
    return update(generations).where(LIVING, generation_of(claimed.ref), generations.c.claim_token == claimed.token)


def _changed(connection: Connection, claimed: Claim, values: dict[str, Any]) -> bool:
    """Change the generation; False where the claim no longer holds."""
    row = connection.execute(_held(claimed).values(values).returning(WATCHED)).one_or_none()
    if row is not None:
        note(connection, claimed.ref.tenant_id, claimed.ref.collection_id, row.watched)
    return row is not None


def _take(
    connection: Connection, ref: FileRef, free: ColumnElement[bool], *, version: str, now: datetime, **values: Any
) -> Claim | None:
    token = uuid4()
    statement = (
        update(generations)
        .where(LIVING, generation_of(ref), free)
        .values(
            stage=Stage.parsing.value,
            claim_token=token,
            attempt=generations.c.attempt + 1,
            index_number=func.coalesce(generations.c.index_number, collections.c.index_number),
            object_version=version,
            updated_at=now,
            **values,
        )
        .returning(*CLAIMED, generations.c.attempt)
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    note(connection, ref.tenant_id, ref.collection_id, row["watched"])
    return claim_of(ref, row, token=token, attempt=row["attempt"])
