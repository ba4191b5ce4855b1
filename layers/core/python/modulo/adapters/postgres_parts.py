"""Divided generations in Postgres: their parts are claimed and finished one by one.

Whatever changes a part locks its generation first, so that the last of them to finish knows it is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Update,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from modulo.adapters.metadata_rules import document
from modulo.adapters.postgres_announcing import WATCHED, note
from modulo.adapters.postgres_rows import OF_COLLECTION, in_tenant, space
from modulo.adapters.postgres_tables import collections, files, generations, indexes, parts
from modulo.domain.collection import Chunking
from modulo.domain.document import Part
from modulo.domain.file import UNFINISHED, DocumentInfo, FileRef, Stage
from modulo.domain.transfer import Claim, Finished, PartResult, PartState

_OF_FILE = and_(generations.c.tenant_id == files.c.tenant_id, generations.c.file_id == files.c.id)
_WANTED = or_(
    generations.c.number == files.c.generation,
    and_(generations.c.source != generations.c.number, generations.c.retired_at.is_(None)),
)
LIVING = and_(_OF_FILE, _WANTED, OF_COLLECTION, files.c.deleted_at.is_(None), collections.c.deleted_at.is_(None))
"""A generation that is its file's newest, or embeds it anew, and is not deleted with the file or the collection."""


def _of_index(name: str) -> ColumnElement[Any]:
    """What the generation's index is made with: the collection's own, or another one's."""
    other = (
        select(indexes.c[name])
        .where(indexes.c.tenant_id == collections.c.tenant_id, indexes.c.collection_id == collections.c.id)
        .where(indexes.c.number == generations.c.index_number)
        .scalar_subquery()
    )
    is_own = generations.c.index_number == collections.c.index_number
    return case((is_own, collections.c[name]), else_=other).label(name)


CLAIMED = (
    collections.c.tenant_id,
    collections.c.id.label("collection_id"),
    collections.c.owner_id,
    collections.c.dedicated,
    _of_index("embedding_model"),
    _of_index("chunking"),
    generations.c.index_number,
    generations.c.source,
    files.c.name,
    generations.c.media_type,
    generations.c.size_bytes,
    generations.c.checksum_sha256,
    generations.c.divided,
    WATCHED,
)
"""The columns of a `Claim`, besides its token and attempt, and whether somebody is told of it."""


def divide(
    connection: Connection,
    claimed: Claim,
    found: Sequence[Part],
    *,
    pages_total: int,
    checksum_sha256: str | None = None,
    lease_until: datetime,
    deadline: datetime,
    now: datetime,
) -> bool:
    """Have these parts ingested one by one."""
    values = {
        "stage": Stage.embedding.value,
        "divided": True,
        "pages_done": 0,
        "pages_total": pages_total,
        "checksum_sha256": func.coalesce(generations.c.checksum_sha256, checksum_sha256),
        "lease_until": lease_until,
        "deadline": deadline,
        "updated_at": now,
    }
    ref = claimed.ref
    held = update(generations).where(LIVING, generation_of(ref), generations.c.claim_token == claimed.token)
    row = connection.execute(held.values(values).returning(WATCHED)).one_or_none()
    if row is None:
        return False
    note(connection, ref.tenant_id, ref.collection_id, row.watched)
    forget_parts(connection, ref)
    of = {"tenant_id": ref.tenant_id, "file_id": ref.file_id, "generation": ref.generation}
    rows = [{**of, "number": part.number, "first": part.first, "end": part.end} for part in found]
    connection.execute(insert(parts), rows)
    return True


def parts_of(connection: Connection, ref: FileRef) -> list[PartState]:
    """The parts, in order."""
    living = exists().where(LIVING, generation_of(ref))
    statement = select(parts).where(_of(ref), living).order_by(parts.c.number)
    return [PartState(_part(row), _result(row)) for row in connection.execute(statement).mappings()]


def claim_part(
    connection: Connection, ref: FileRef, number: int, *, now: datetime, lease_until: datetime
) -> Claim | None:
    """Take a part that nobody works on."""
    generation = _locked(connection, ref)
    if generation is None:
        return None
    at = and_(_of(ref), parts.c.number == number)
    free = and_(not_(parts.c.done), or_(parts.c.claim_token.is_(None), parts.c.lease_until <= now))
    before = connection.execute(select(parts.c.pages_done).where(at, free)).scalar_one_or_none()
    if before is None:
        return None
    token = uuid4()
    taken = {"claim_token": token, "lease_until": lease_until, "attempt": parts.c.attempt + 1, "pages_done": 0}
    row = connection.execute(update(parts).where(at).values(taken).returning(parts)).mappings().one()
    kept = {"pages_done": generations.c.pages_done - before, "lease_until": lease_until}
    connection.execute(_generation(ref).values(kept))
    return claim_of(ref, generation, token=token, attempt=row["attempt"], part=_part(row))


def advance_part(
    connection: Connection, claimed: Claim, *, pages_done: int | None, lease_until: datetime, now: datetime
) -> bool:
    """Record progress, of the part and of the whole, and keep both leases."""
    before = lock_part(connection, claimed)
    if before is None:
        return False
    done = before["pages_done"] if pages_done is None else pages_done
    connection.execute(_part_row(claimed).values(pages_done=done, lease_until=lease_until))
    pages = generations.c.pages_done + (done - before["pages_done"])
    connection.execute(_generation(claimed.ref).values(pages_done=pages, lease_until=lease_until, updated_at=now))
    return True


def finish_part(
    connection: Connection, claimed: Claim, result: PartResult, *, lease_until: datetime, now: datetime
) -> Finished | None:
    """Record what became of a part; who finishes the last one takes the whole."""
    if lock_part(connection, claimed) is None:
        return None
    ref = claimed.ref
    ended = {"done": True, "claim_token": None, "lease_until": None, "document": document(result.info)}
    found = {"chunk_count": result.chunk_count, "content_hash": result.content_hash}
    connection.execute(_part_row(claimed).values(ended | found))
    unfinished = select(func.count()).select_from(parts).where(_of(ref), not_(parts.c.done))
    left = connection.execute(unfinished).scalar_one()
    kept: dict[str, Any] = {"lease_until": lease_until, "updated_at": now}
    if left:
        connection.execute(_generation(ref).values(kept))
        return Finished(left, None)
    token = uuid4()
    taken = kept | {"stage": Stage.indexing.value, "claim_token": token}
    statement = _generation(ref).where(LIVING).values(taken)
    whole = connection.execute(statement.returning(*CLAIMED, generations.c.attempt)).mappings().one()
    return Finished(0, claim_of(ref, whole, token=token, attempt=whole["attempt"]))


def release_part(connection: Connection, claimed: Claim) -> None:
    """Give the part's lease up."""
    if lock_part(connection, claimed) is not None:
        connection.execute(_part_row(claimed).values(claim_token=None, lease_until=None))


def lock_part(connection: Connection, claimed: Claim) -> RowMapping | None:
    """The claimed part, as long as the claim holds; nobody else changes its generation until the transaction ends."""
    generation = _locked(connection, claimed.ref)
    if generation is None:
        return None
    held = select(parts).where(_at(claimed), parts.c.claim_token == claimed.token)
    part = connection.execute(held).mappings().one_or_none()
    if part is not None:
        note(connection, claimed.ref.tenant_id, claimed.ref.collection_id, generation["watched"])
    return part


def forget_parts(connection: Connection, ref: FileRef) -> None:
    """The generation is divided no more."""
    connection.execute(delete(parts).where(_of(ref)))


def generation_of(ref: FileRef) -> ColumnElement[bool]:
    """The generation, which joins its file."""
    return and_(
        in_tenant(ref.tenant_id, generations, files),
        files.c.collection_id == ref.collection_id,
        generations.c.file_id == ref.file_id,
        generations.c.number == ref.generation,
    )


def claim_of(ref: FileRef, row: RowMapping, *, token: UUID, attempt: int, part: Part | None = None) -> Claim:
    """What whoever holds a generation, or a part of it, is told."""
    return Claim(
        ref=replace(ref, source=row["source"]),
        token=token,
        attempt=attempt,
        space=space(row),
        chunking=Chunking.model_validate(row["chunking"]),
        name=row["name"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        checksum_sha256=row["checksum_sha256"],
        divided=row["divided"],
        part=part,
    )


def _locked(connection: Connection, ref: FileRef) -> RowMapping | None:
    """The generation, if it has not ended, held until the transaction ends."""
    going_on = generations.c.stage.in_([stage.value for stage in UNFINISHED])
    statement = select(*CLAIMED).where(LIVING, generation_of(ref), going_on).with_for_update(of=generations)
    return connection.execute(statement).mappings().one_or_none()


def _generation(ref: FileRef) -> Update:
    return update(generations).where(generation_of(ref), _OF_FILE)


def _of(ref: FileRef) -> ColumnElement[bool]:
    return and_(in_tenant(ref.tenant_id, parts), parts.c.file_id == ref.file_id, parts.c.generation == ref.generation)


def _at(claimed: Claim) -> ColumnElement[bool]:
    return and_(_of(claimed.ref), parts.c.number == (claimed.part.number if claimed.part else -1))


def _part_row(claimed: Claim) -> Update:
    return update(parts).where(_at(claimed))


def _part(row: RowMapping) -> Part:
    return Part(row["number"], row["first"], row["end"])


def _result(row: RowMapping) -> PartResult | None:
    if not row["done"]:
        return None
    return PartResult(row["chunk_count"], row["content_hash"], DocumentInfo.model_validate(row["document"]))
