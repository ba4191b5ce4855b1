"""Parts of divided generations, which are claimed and finished one by one.

Whatever changes a part locks its generation first, so that the last of them to finish knows it is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Update,
    and_,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from modulo.adapters.postgres.announcements import note
from modulo.adapters.postgres.claims import CLAIMED, LIVING, changed, claim_of, generation_of, held
from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.rows import OF_FILE, in_tenant
from modulo.adapters.postgres.rules import stored_document
from modulo.adapters.postgres.tables import generations
from modulo.adapters.postgres.tables import parts as parts_table
from modulo.domain.documents.document import Part
from modulo.domain.files.file import UNFINISHED, DocumentInfo, FileRef, Stage
from modulo.domain.ingestion.claim import Claim, PartCompletion, PartResult, PartState


class PostgresParts(Pooled):
    """Generations that are ingested in parts."""

    @transaction
    def divide(
        self,
        connection: Connection,
        claim: Claim,
        parts: Sequence[Part],
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
        ref = claim.ref
        if not changed(connection, ref, held(claim), values):
            return False
        forget_parts(connection, ref)
        of = {"tenant_id": ref.tenant_id, "file_id": ref.file_id, "generation": ref.generation}
        rows = [{**of, "number": part.number, "first": part.first, "end": part.end} for part in parts]
        connection.execute(insert(parts_table), rows)
        return True

    @autocommit
    def parts(self, connection: Connection, ref: FileRef) -> list[PartState]:
        """The parts, in order."""
        living = exists().where(LIVING, generation_of(ref))
        statement = select(parts_table).where(_of(ref), living).order_by(parts_table.c.number)
        return [PartState(_part(row), _result(row)) for row in connection.execute(statement).mappings()]

    @transaction
    def claim_part(
        self, connection: Connection, ref: FileRef, number: int, *, now: datetime, lease_until: datetime
    ) -> Claim | None:
        """Take a part that nobody works on."""
        generation = _locked(connection, ref)
        if generation is None:
            return None
        at = and_(_of(ref), parts_table.c.number == number)
        free = and_(
            not_(parts_table.c.done), or_(parts_table.c.claim_token.is_(None), parts_table.c.lease_until <= now)
        )
        before = connection.execute(select(parts_table.c.pages_done).where(at, free)).scalar_one_or_none()
        if before is None:
            return None
        token = uuid4()
        taken = {
            "claim_token": token,
            "lease_until": lease_until,
            "attempt": parts_table.c.attempt + 1,
            "pages_done": 0,
        }
        row = connection.execute(update(parts_table).where(at).values(taken).returning(parts_table)).mappings().one()
        kept = {"pages_done": generations.c.pages_done - before, "lease_until": lease_until}
        connection.execute(_generation(ref).values(kept))
        return claim_of(ref, generation, token=token, attempt=row["attempt"], part=_part(row))

    @transaction
    def finish_part(
        self, connection: Connection, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime
    ) -> PartCompletion | None:
        """Record what became of a part; who finishes the last one takes the whole."""
        if lock_part(connection, claim) is None:
            return None
        ref = claim.ref
        ended = {"done": True, "claim_token": None, "lease_until": None, "document": stored_document(result.info)}
        found = {"chunk_count": result.chunk_count, "content_hash": result.content_hash}
        connection.execute(_part_row(claim).values(ended | found))
        unfinished = select(func.count()).select_from(parts_table).where(_of(ref), not_(parts_table.c.done))
        left = connection.execute(unfinished).scalar_one()
        kept: dict[str, Any] = {"lease_until": lease_until, "updated_at": now}
        if left:
            connection.execute(_generation(ref).values(kept))
            return PartCompletion(left, None)
        token = uuid4()
        taken = kept | {"stage": Stage.indexing.value, "claim_token": token}
        statement = _generation(ref).where(LIVING).values(taken)
        whole = connection.execute(statement.returning(*CLAIMED, generations.c.attempt)).mappings().one()
        return PartCompletion(0, claim_of(ref, whole, token=token, attempt=whole["attempt"]))


def advance_part(
    connection: Connection, claim: Claim, *, pages_done: int | None, lease_until: datetime, now: datetime
) -> bool:
    """Record progress, of the part and of the whole, and keep both leases."""
    before = lock_part(connection, claim)
    if before is None:
        return False
    done = before["pages_done"] if pages_done is None else pages_done
    connection.execute(_part_row(claim).values(pages_done=done, lease_until=lease_until))
    pages = generations.c.pages_done + (done - before["pages_done"])
    connection.execute(_generation(claim.ref).values(pages_done=pages, lease_until=lease_until, updated_at=now))
    return True


def release_part(connection: Connection, claim: Claim) -> None:
    """End the part's lease."""
    if lock_part(connection, claim) is not None:
        connection.execute(_part_row(claim).values(claim_token=None, lease_until=None))


def lock_part(connection: Connection, claim: Claim) -> RowMapping | None:
    """Lock the generation of a claimed part; the part, or None where the claim no longer holds."""
    generation = _locked(connection, claim.ref)
    if generation is None:
        return None
    claimed = select(parts_table).where(_at(claim), parts_table.c.claim_token == claim.token)
    part = connection.execute(claimed).mappings().one_or_none()
    if part is not None:
        note(connection, claim.ref.tenant_id, claim.ref.collection_id, generation["watched"])
    return part


def forget_parts(connection: Connection, ref: FileRef) -> None:
    """The generation is divided no more."""
    connection.execute(delete(parts_table).where(_of(ref)))


def _locked(connection: Connection, ref: FileRef) -> RowMapping | None:
    """Lock the generation until the transaction ends, if it has not ended itself."""
    going_on = generations.c.stage.in_([stage.value for stage in UNFINISHED])
    statement = select(*CLAIMED).where(LIVING, generation_of(ref), going_on).with_for_update(of=generations)
    return connection.execute(statement).mappings().one_or_none()


def _generation(ref: FileRef) -> Update:
    return update(generations).where(generation_of(ref), OF_FILE)


def _of(ref: FileRef) -> ColumnElement[bool]:
    return and_(
        in_tenant(ref.tenant_id, parts_table),
        parts_table.c.file_id == ref.file_id,
        parts_table.c.generation == ref.generation,
    )


def _at(claim: Claim) -> ColumnElement[bool]:
    return and_(_of(claim.ref), parts_table.c.number == (claim.part.number if claim.part else -1))


def _part_row(claim: Claim) -> Update:
    return update(parts_table).where(_at(claim))


def _part(row: RowMapping) -> Part:
    return Part(row["number"], row["first"], row["end"])


def _result(row: RowMapping) -> PartResult | None:
    if not row["done"]:
        return None
    return PartResult(row["chunk_count"], row["content_hash"], DocumentInfo.model_validate(row["document"]))
