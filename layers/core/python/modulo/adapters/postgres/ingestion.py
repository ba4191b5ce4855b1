"""Ingestion: claims of generations, their progress and their ends; every step is fenced by the claim's token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update

from modulo.adapters.postgres.aliases import raise_version
from modulo.adapters.postgres.announcements import note
from modulo.adapters.postgres.charges import WAS_CHARGED, charge, uncharge
from modulo.adapters.postgres.claims import CLAIMED, LIVING, changed, claim_of, generation_of, held
from modulo.adapters.postgres.locks import lock_collection, note_change
from modulo.adapters.postgres.parts import advance_part, forget_parts, lock_part, release_part
from modulo.adapters.postgres.pools import Pooled, autocommit, transaction
from modulo.adapters.postgres.reindexed_generations import IS_PAID_FOR, add_missing, retired
from modulo.adapters.postgres.rows import in_tenant, stored
from modulo.adapters.postgres.rules import stored_document, stored_problem
from modulo.adapters.postgres.tables import collections, files, generations
from modulo.domain.errors import QuotaExceeded
from modulo.domain.files.file import WAITING, WORKING, DocumentInfo, FileProblem, FileRef, Stage
from modulo.domain.files.generation import RECLAIMED, changes_on_end, changes_on_failure
from modulo.domain.text.dates import interval_start

if TYPE_CHECKING:
    from modulo.domain.ingestion.claim import Claim

_RETRYABLE = and_(
    generations.c.stage == Stage.failed.value,
    generations.c.problem["retryable"].as_boolean(),
    generations.c.retired_at.is_(None),
)


class PostgresIngestion(Pooled):
    """Claims of generations: every step is fenced by the claim's token."""

    def claim(
        self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
    ) -> Claim | None:
        """Take a generation that waits, lost its worker or failed for a passing reason."""
        wanted = _Wanted(ref, version, now, lease_until, deadline)
        try:
            return self._claim(wanted)
        except QuotaExceeded:  # and so the transaction was rolled back
            return None

    @transaction
    def _claim(self, connection: Connection, wanted: _Wanted) -> Claim | None:
        return _claim_free(connection, wanted) or _claim_failed(connection, wanted)

    @transaction
    def advance(
        self,
        connection: Connection,
        claim: Claim,
        stage: Stage,
        *,
        pages_done: int | None = None,
        pages_total: int | None = None,
        lease_until: datetime,
        now: datetime,
    ) -> bool:
        """Record progress and keep the lease."""
        if claim.part is not None:
            return advance_part(connection, claim, pages_done=pages_done, lease_until=lease_until, now=now)
        pages = {"pages_done": pages_done, "pages_total": pages_total}
        values = {"stage": stage.value, "lease_until": lease_until, "updated_at": now}
        known = {name: number for name, number in pages.items() if number is not None}
        return changed(connection, claim.ref, held(claim), values | known)

    @transaction
    def publish(
        self,
        connection: Connection,
        claim: Claim,
        *,
        chunk_count: int,
        content_hash: str,
        info: DocumentInfo,
        checksum_sha256: str | None = None,
        now: datetime,
    ) -> bool:
        """Make the generation the live one, if searches see its index."""
        ref = claim.ref
        collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
        if collection is None:
            return False
        found: dict[str, Any] = {
            "chunk_count": chunk_count,
            "content_hash": content_hash,
            "document": stored_document(info),
        }
        found["checksum_sha256"] = func.coalesce(generations.c.checksum_sha256, checksum_sha256)
        found |= {"creation_date": interval_start(info.creation_date), "mod_date": interval_start(info.mod_date)}
        made = (
            update(generations)
            .where(held(claim))
            .values(stored(changes_on_end(Stage.ready, now)) | found)
            .returning(generations.c.index_number)
        )
        index = connection.execute(made).scalar_one_or_none()
        if index is None:
            return False
        forget_parts(connection, ref)
        note_change(connection, collection)
        if index == collection["index_number"]:
            _go_live(connection, claim.ref, now)
        add_missing(connection, collection, claim.ref, index, now)
        return True

    @transaction
    def fail(self, connection: Connection, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        """End the generation as failed and give its bytes back."""
        ref = claim.ref
        collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
        if collection is None:
            return False
        values = stored(changes_on_failure(problem, now)) | {"problem": stored_problem(problem)}
        if claim.part is not None and not lock_part(connection, claim):
            return False
        which = held(claim) if claim.part is None else and_(LIVING, generation_of(ref))
        failed = update(generations).where(which).values(values)
        row = connection.execute(failed.returning(WAS_CHARGED)).one_or_none()
        if row is None:
            return False
        forget_parts(connection, ref)
        note_change(connection, collection)
        uncharge(connection, {(ref.tenant_id, ref.collection_id): row.was_charged})
        return True

    @transaction
    def release(self, connection: Connection, claim: Claim, *, now: datetime) -> None:
        """End the lease."""
        if claim.part is None:
            swept = {"lease_until": case((generations.c.divided, now), else_=None)}
            changed(connection, claim.ref, held(claim), stored(changes_on_end(Stage.queued, now)) | swept)
        else:
            release_part(connection, claim)

    @autocommit
    def reset_attempts(self, connection: Connection, ref: FileRef) -> None:
        """Forget the attempts at a generation that failed for a passing reason."""
        connection.execute(update(generations).where(LIVING, generation_of(ref), _RETRYABLE).values(attempt=0))

    @autocommit
    def viable(self, connection: Connection, ref: FileRef) -> bool:
        """Whether the generation is its file's newest, neither deleted nor retired."""
        statement = select(generations.c.number).where(LIVING, generation_of(ref), generations.c.retired_at.is_(None))
        return connection.execute(statement).one_or_none() is not None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A claim that somebody asks for."""

    ref: FileRef
    version: str
    now: datetime
    lease_until: datetime
    deadline: datetime


def _claim_free(connection: Connection, wanted: _Wanted) -> Claim | None:
    """Take a generation that waits, or whose worker's lease has run out."""
    free = or_(
        generations.c.stage.in_([stage.value for stage in WAITING]),
        and_(generations.c.stage.in_([stage.value for stage in WORKING]), generations.c.lease_until <= wanted.now),
    )
    changes = {
        "deadline": case((generations.c.attempt == 0, wanted.deadline), else_=generations.c.deadline),
        "pages_done": case((generations.c.divided, generations.c.pages_done), else_=0),
        "started_at": case((generations.c.divided, generations.c.started_at), else_=wanted.now),
        "problem": None,  # that of a fetch which was tried again
    }
    return _take(connection, wanted, free, **changes)


def _claim_failed(connection: Connection, wanted: _Wanted) -> Claim | None:
    """Take a generation that failed for a passing reason.

    Raises:
        QuotaExceeded: its bytes, given back when it failed, no longer fit.
    """
    ref = wanted.ref
    this = (LIVING, generation_of(ref), _RETRYABLE)
    row = connection.execute(select(collections.c.owner_id, generations.c.storage_limit).where(*this)).one_or_none()
    if row is None or not lock_collection(connection, ref.tenant_id, ref.collection_id):
        return None
    paid_for = connection.execute(select(IS_PAID_FOR).where(*this)).scalar_one_or_none()
    anew = {
        "deadline": wanted.deadline,
        "pages_done": 0,
        "started_at": wanted.now,
        **RECLAIMED,
        "charged": not paid_for,
    }
    taken = _take(connection, wanted, _RETRYABLE, **anew)
    if taken is None:
        return None
    taken = replace(taken, may_upload=True)  # whoever asks for the retry may
    forget_parts(connection, ref)
    if not paid_for:
        charge(connection, ref, row.owner_id, taken.size_bytes, row.storage_limit)
    return taken


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
    raise_version(connection, ref.tenant_id, ref.collection_id, now)


def _take(connection: Connection, wanted: _Wanted, free: ColumnElement[bool], **values: Any) -> Claim | None:
    """Take the generation if it is free, in one conditional update."""
    ref, token = wanted.ref, uuid4()
    statement = (
        update(generations)
        .where(LIVING, generation_of(ref), free)
        .values(
            stage=Stage.parsing.value,
            claim_token=token,
            attempt=generations.c.attempt + 1,
            index_number=func.coalesce(generations.c.index_number, collections.c.index_number),
            object_version=func.coalesce(generations.c.object_version, wanted.version),
            lease_until=wanted.lease_until,
            updated_at=wanted.now,
            **values,
        )
        .returning(*CLAIMED, generations.c.attempt)
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    note(connection, ref.tenant_id, ref.collection_id, row["watched"])
    return claim_of(ref, row, token=token, attempt=row["attempt"])
