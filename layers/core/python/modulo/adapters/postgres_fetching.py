"""Generations in Postgres whose bytes are fetched."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select, update

from modulo.adapters.metadata_rules import problem
from modulo.adapters.postgres_announcing import WATCHED, note
from modulo.adapters.postgres_parts import LIVING, generation_of
from modulo.adapters.postgres_rows import changing, in_tenant, lock_collection, stored, uncharge
from modulo.adapters.postgres_tables import collections, files, generations
from modulo.adapters.postgres_twins import retired
from modulo.adapters.postgres_uploads import charge_owner
from modulo.domain.file import FileProblem, FileRef, Stage
from modulo.domain.generation import PURGE_AFTER, failed
from modulo.domain.quota import exceeded
from modulo.domain.web import STORING, Arrival, Fetch, Known, Validators

_WAITING = and_(LIVING, generations.c.stage == Stage.awaiting_upload.value, generations.c.source_url.is_not(None))

_live = generations.alias("live")
_LIVE = and_(
    _live.c.tenant_id == files.c.tenant_id,
    _live.c.file_id == files.c.id,
    _live.c.number == files.c.live_generation,
)
_KNOWN = (
    select(func.jsonb_build_array(_live.c.source, _live.c.checksum_sha256, _live.c.etag, _live.c.last_modified))
    .where(_LIVE, _live.c.source_url == generations.c.source_url, _live.c.checksum_sha256.is_not(None))
    .correlate(files, generations)
    .scalar_subquery()
    .label("known")
)
"""What the file's live generation holds, if it was fetched from the same address."""


def begin_fetch(connection: Connection, ref: FileRef, *, now: datetime) -> Fetch | None:
    """Count a try."""
    statement = (
        update(generations)
        .where(_WAITING, generation_of(ref))
        .values(attempt=generations.c.attempt + 1, updated_at=now)
        .returning(files.c.name, generations.c.source_url, generations.c.attempt, generations.c.checksum_sha256, _KNOWN)
    )
    row = connection.execute(statement.returning(WATCHED)).one_or_none()
    if row is None:
        return None
    note(connection, ref.tenant_id, ref.collection_id, row.watched)
    known = None
    if row.known is not None:
        source, checksum, etag, last_modified = row.known
        known = Known(source, checksum, Validators(etag, last_modified))
    return Fetch(row.name, row.source_url, row.attempt, row.checksum_sha256, known)


def arrive(connection: Connection, ref: FileRef, arrival: Arrival, *, before: str | None, now: datetime) -> bool:
    """Record what was fetched; the generation is held meanwhile, so that nobody claims it for its former size."""
    collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
    if collection is None:
        return False
    this = (_WAITING, generation_of(ref), generations.c.checksum_sha256.is_not_distinct_from(before))
    known = select(generations.c.size_bytes, generations.c.storage_limit, collections.c.owner_id)
    row = connection.execute(known.where(*this).with_for_update(of=generations)).one_or_none()
    if row is None:
        return False
    changing(connection, collection)
    values: dict[str, Any] = {
        "size_bytes": arrival.size_bytes,
        "checksum_sha256": arrival.checksum_sha256,
        "attempt": 0,
    }
    values |= asdict(arrival.validators)
    changed = update(generations).where(*this)
    connection.execute(
        changed.values(**values, media_type=arrival.media_type, arrives_until=now + STORING, updated_at=now)
    )
    more = arrival.size_bytes - row.size_bytes
    if more <= 0:
        uncharge(connection, {(ref.tenant_id, ref.collection_id): -more})
        return True
    connection.execute(
        update(collections)
        .values(storage_bytes=collections.c.storage_bytes + more)
        .where(in_tenant(ref.tenant_id, collections), collections.c.id == ref.collection_id)
    )
    if not charge_owner(connection, ref.tenant_id, row.owner_id, more, row.storage_limit):
        raise exceeded("storage_bytes", row.storage_limit)
    return True


def unchanged(
    connection: Connection,
    ref: FileRef,
    known: Known,
    validators: Validators | None,
    *,
    before: str | None,
    now: datetime,
) -> bool:
    """End it, and have the file be what it was."""
    collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
    if collection is None:
        return False
    is_live = exists().where(_LIVE, _live.c.source == known.source).correlate(files)
    same = generations.c.checksum_sha256.is_not_distinct_from(before)
    later = func.greatest(now + PURGE_AFTER, generations.c.arrives_until)
    ended = update(generations).where(_WAITING, generation_of(ref), same, is_live)
    ended = ended.values(retired(now) | {"charged": False, "purge_after": later})
    row = connection.execute(ended.returning(generations.c.size_bytes)).one_or_none()
    if row is None:
        return False
    changing(connection, collection)
    uncharge(connection, {(ref.tenant_id, ref.collection_id): row.size_bytes})
    this = and_(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id)
    connection.execute(update(files).values(generation=files.c.live_generation).where(this))
    found = asdict(validators) if validators else {}
    live = (generations.c.file_id == files.c.id, generations.c.number == files.c.live_generation)
    touched = update(generations).values(checked_at=now, updated_at=now, **found)
    connection.execute(touched.where(this, in_tenant(ref.tenant_id, generations), *live))
    return True


def refuse(connection: Connection, ref: FileRef, found: FileProblem, *, now: datetime) -> bool:
    """End it as failed."""
    collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
    if collection is None:
        return False
    values = stored(failed(found, now)) | {"problem": problem(found)}
    statement = update(generations).where(_WAITING, generation_of(ref)).values(values)
    row = connection.execute(statement.returning(generations.c.size_bytes)).one_or_none()
    if row is None:
        return False
    changing(connection, collection)
    uncharge(connection, {(ref.tenant_id, ref.collection_id): row.size_bytes})
    return True
