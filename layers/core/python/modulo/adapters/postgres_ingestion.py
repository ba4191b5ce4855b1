"""Claims, progress and ends of ingestion in Postgres: every step is fenced by the claim's token."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Update, and_, case, or_, select, update

from modulo.adapters.metadata_rules import PURGE_AFTER, RETRY_WINDOW, WAITING, WORKING, document, problem
from modulo.adapters.postgres_rows import NEWEST, OF_COLLECTION, SPACE, in_tenant, lock_collection, space, uncharge
from modulo.adapters.postgres_tables import collections, files, generations
from modulo.adapters.postgres_uploads import charge_owner
from modulo.domain.collection import Chunking
from modulo.domain.file import DocumentInfo, FileProblem, FileRef, Stage
from modulo.domain.quota import exceeded
from modulo.domain.transfer import Claim

LIVING = and_(NEWEST, OF_COLLECTION, files.c.deleted_at.is_(None), collections.c.deleted_at.is_(None))
"""A generation that is its file's newest and not deleted with the file or the collection."""

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
    first = case((generations.c.attempt == 0, deadline), else_=generations.c.deadline)
    return _take(connection, ref, free, version=version, now=now, lease_until=lease_until, deadline=first)


def retry(
    connection: Connection, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
) -> Claim | None:
    """Take a generation that failed for a passing reason.

    Raises:
        QuotaExceeded: its bytes, given back when it failed, no longer fit.
    """
    statement = select(collections.c.owner_id, generations.c.storage_limit).where(LIVING, _is(ref), _RETRYABLE)
    row = connection.execute(statement).one_or_none()
    if row is None or not lock_collection(connection, ref.tenant_id, ref.collection_id):
        return None
    anew = {"deadline": deadline, "charged": True, "problem": None, "purge_after": None}
    taken = _take(connection, ref, _RETRYABLE, version=version, now=now, lease_until=lease_until, **anew)
    if taken is None:
        return None
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
    pages = {"pages_done": pages_done, "pages_total": pages_total}
    values = {"stage": stage.value, "lease_until": lease_until, "updated_at": now}
    known = {name: number for name, number in pages.items() if number is not None}
    return connection.execute(_held(claimed).values(values | known)).rowcount == 1


def publish(
    connection: Connection, claimed: Claim, *, chunk_count: int, content_hash: str, info: DocumentInfo, now: datetime
) -> bool:
    """Make the generation the live one."""
    ref = claimed.ref
    if not lock_collection(connection, ref.tenant_id, ref.collection_id):
        return False
    found = {"chunk_count": chunk_count, "content_hash": content_hash, "document": document(info)}
    if connection.execute(_held(claimed).values(_ended(Stage.ready, now) | found)).rowcount == 0:
        return False
    connection.execute(
        update(files)
        .values(live_generation=ref.generation)
        .where(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id)
    )
    connection.execute(
        update(generations)
        .values(retired_at=now, purge_after=now + PURGE_AFTER)
        .where(
            in_tenant(ref.tenant_id, generations),
            generations.c.file_id == ref.file_id,
            generations.c.number < ref.generation,
            generations.c.retired_at.is_(None),
        )
    )
    connection.execute(
        update(collections)
        .values(version=collections.c.version + 1, updated_at=now)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == ref.collection_id)
    )
    return True


def fail(connection: Connection, claimed: Claim, found: FileProblem, *, now: datetime) -> bool:
    """End the generation as failed and give its bytes back."""
    ref = claimed.ref
    if not lock_collection(connection, ref.tenant_id, ref.collection_id):
        return False
    if connection.execute(_held(claimed).values(failed(found, now))).rowcount == 0:
        return False
    uncharge(connection, {(ref.tenant_id, ref.collection_id): claimed.size_bytes})
    return True


def failed(found: FileProblem, now: datetime) -> dict[str, Any]:
    """The values of a generation that ends as failed; it keeps its object only where a retry can help."""
    kept = RETRY_WINDOW if found.retryable else PURGE_AFTER
    return _ended(Stage.failed, now) | {
        "problem": problem(found),
        "charged": False,
        "retired_at": None if found.retryable else now,
        "purge_after": now + kept,
    }


def release(connection: Connection, claimed: Claim, *, now: datetime) -> None:
    """Give the lease up."""
    connection.execute(_held(claimed).values(_ended(Stage.queued, now)))


def viable(connection: Connection, ref: FileRef) -> bool:
    """Whether the generation is its file's newest, neither deleted nor retired."""
    statement = select(generations.c.number).where(LIVING, _is(ref), generations.c.retired_at.is_(None))
    return connection.execute(statement).one_or_none() is not None


def _is(ref: FileRef) -> ColumnElement[bool]:
    return and_(
        in_tenant(ref.tenant_id, generations, files),
        files.c.collection_id == ref.collection_id,
        generations.c.file_id == ref.file_id,
        generations.c.number == ref.generation,
    )


def _held(claimed: Claim) -> Update:
    """An update of the generation, as long as the claim holds."""
    return update(generations).where(LIVING, _is(claimed.ref), generations.c.claim_token == claimed.token)


def _ended(stage: Stage, now: datetime) -> dict[str, Any]:
    return {"stage": stage.value, "claim_token": None, "lease_until": None, "updated_at": now}


def _take(
    connection: Connection, ref: FileRef, free: ColumnElement[bool], *, version: str, now: datetime, **values: Any
) -> Claim | None:
    statement = (
        update(generations)
        .where(LIVING, _is(ref), free)
        .values(
            stage=Stage.parsing.value,
            claim_token=uuid4(),
            attempt=generations.c.attempt + 1,
            pages_done=0,
            object_version=version,
            updated_at=now,
            **values,
        )
        .returning(
            *SPACE,
            collections.c.chunking,
            files.c.name,
            generations.c.claim_token,
            generations.c.attempt,
            generations.c.media_type,
            generations.c.size_bytes,
            generations.c.checksum_sha256,
        )
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    return Claim(
        ref=ref,
        token=row["claim_token"],
        attempt=row["attempt"],
        space=space(row),
        chunking=Chunking.model_validate(row["chunking"]),
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        checksum_sha256=row["checksum_sha256"],
    )
