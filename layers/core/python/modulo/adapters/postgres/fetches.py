"""Fetches: generations whose bytes come from an address."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exists, func, select, update

from modulo.adapters.postgres.announcements import WATCHED, note
from modulo.adapters.postgres.charges import charge, uncharge
from modulo.adapters.postgres.claims import LIVING, changed, generation_of
from modulo.adapters.postgres.locks import lock_collection, note_change
from modulo.adapters.postgres.pools import Pooled, transaction
from modulo.adapters.postgres.reindexed_generations import retired
from modulo.adapters.postgres.rows import IS_FETCHING, in_tenant, stored
from modulo.adapters.postgres.rules import stored_problem
from modulo.adapters.postgres.tables import collections, files, generations
from modulo.domain.files.file import FileProblem, FileRef, Stage
from modulo.domain.files.generation import PURGE_AFTER, REFETCHED, changes_on_failure
from modulo.domain.files.web import STORE_TIMEOUT, ContentInfo, FetchTask, KnownContent, Validators

_WAITING = and_(LIVING, IS_FETCHING)
_NEVER_FETCHED = and_(
    LIVING,
    generations.c.stage == Stage.failed.value,
    generations.c.source_url.is_not(None),
    generations.c.problem["retryable"].as_boolean(),
    generations.c.retired_at.is_(None),
    generations.c.started_at.is_(None),
)
"""What failed before a worker found its bytes, and may be tried again."""

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


class PostgresFetching(Pooled):
    """Generations whose bytes are fetched from an address."""

    @transaction
    def begin_fetch(self, connection: Connection, ref: FileRef, *, now: datetime) -> FetchTask | None:
        """Count a try."""
        statement = (
            update(generations)
            .where(_WAITING, generation_of(ref))
            .values(attempt=generations.c.attempt + 1, next_attempt_at=None, updated_at=now)
            .returning(
                files.c.name, generations.c.source_url, generations.c.attempt, generations.c.checksum_sha256, _KNOWN
            )
        )
        row = connection.execute(statement.returning(WATCHED)).one_or_none()
        if row is None:
            return None
        note(connection, ref.tenant_id, ref.collection_id, row.watched)
        known = None
        if row.known is not None:
            source, checksum, etag, last_modified = row.known
            known = KnownContent(source, checksum, Validators(etag, last_modified))
        return FetchTask(row.name, row.source_url, row.attempt, row.checksum_sha256, known)

    @transaction
    def arrive(
        self, connection: Connection, ref: FileRef, arrival: ContentInfo, *, before: str | None, now: datetime
    ) -> bool:
        """Record what was fetched; the generation is locked, so that nobody claims it with its former size."""
        collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
        if collection is None:
            return False
        this = (_WAITING, generation_of(ref), generations.c.checksum_sha256.is_not_distinct_from(before))
        known = select(generations.c.size_bytes, generations.c.storage_limit, collections.c.owner_id)
        row = connection.execute(known.where(*this).with_for_update(of=generations)).one_or_none()
        if row is None:
            return False
        note_change(connection, collection)
        values: dict[str, Any] = {
            "size_bytes": arrival.size_bytes,
            "checksum_sha256": arrival.checksum_sha256,
            "attempt": 0,
            "problem": None,
            "next_attempt_at": None,
        }
        values |= asdict(arrival.validators)
        arrived = update(generations).where(*this)
        connection.execute(
            arrived.values(**values, media_type=arrival.media_type, arrives_until=now + STORE_TIMEOUT, updated_at=now)
        )
        more = arrival.size_bytes - row.size_bytes
        if more <= 0:
            uncharge(connection, {(ref.tenant_id, ref.collection_id): -more})
            return True
        charge(connection, ref, row.owner_id, more, row.storage_limit)
        return True

    @transaction
    def unchanged(
        self,
        connection: Connection,
        ref: FileRef,
        known: KnownContent,
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
        note_change(connection, collection)
        uncharge(connection, {(ref.tenant_id, ref.collection_id): row.size_bytes})
        this = and_(in_tenant(ref.tenant_id, files), files.c.id == ref.file_id)
        connection.execute(update(files).values(generation=files.c.live_generation).where(this))
        found = asdict(validators) if validators else {}
        live = (generations.c.file_id == files.c.id, generations.c.number == files.c.live_generation)
        touched = update(generations).values(checked_at=now, updated_at=now, **found)
        connection.execute(touched.where(this, in_tenant(ref.tenant_id, generations), *live))
        return True

    @transaction
    def postpone_fetch(
        self, connection: Connection, ref: FileRef, problem: FileProblem, *, until: datetime, now: datetime
    ) -> bool:
        """Record it beside the stage."""
        values = {"problem": stored_problem(problem), "next_attempt_at": until, "updated_at": now}
        return changed(connection, ref, and_(_WAITING, generation_of(ref)), values)

    @transaction
    def restart_fetch(self, connection: Connection, ref: FileRef, *, deadline: datetime, now: datetime) -> bool:
        """Have it wait as at the beginning; its size is 0, so that nothing is charged yet."""
        values = stored(REFETCHED) | {"deadline": deadline, "updated_at": now}
        return changed(connection, ref, and_(_NEVER_FETCHED, generation_of(ref)), values)

    @transaction
    def refuse(self, connection: Connection, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
        """End it as failed."""
        collection = lock_collection(connection, ref.tenant_id, ref.collection_id)
        if collection is None:
            return False
        values = stored(changes_on_failure(problem, now)) | {"problem": stored_problem(problem)}
        statement = update(generations).where(_WAITING, generation_of(ref)).values(values)
        row = connection.execute(statement.returning(generations.c.size_bytes)).one_or_none()
        if row is None:
            return False
        note_change(connection, collection)
        uncharge(connection, {(ref.tenant_id, ref.collection_id): row.size_bytes})
        return True
