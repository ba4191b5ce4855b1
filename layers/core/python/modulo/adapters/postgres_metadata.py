"""The Metadata port on Postgres: which pool each method uses, and one transaction for each."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from typing_extensions import override

from modulo.adapters import postgres_aliases as aliases
from modulo.adapters import postgres_archives as archives
from modulo.adapters import postgres_collections as collections
from modulo.adapters import postgres_deletions as deletions
from modulo.adapters import postgres_fetching as fetching
from modulo.adapters import postgres_files as files
from modulo.adapters import postgres_ingestion as ingestion
from modulo.adapters import postgres_letters as letters
from modulo.adapters import postgres_members as members
from modulo.adapters import postgres_parts as dividing
from modulo.adapters import postgres_purging as purging
from modulo.adapters import postgres_reembedding as reembedding
from modulo.adapters import postgres_search as search
from modulo.adapters import postgres_sweeping as sweeping
from modulo.adapters import postgres_uploads as uploads
from modulo.adapters import postgres_usage as usage
from modulo.adapters.postgres_engine import statements
from modulo.adapters.postgres_watching import PostgresWatching
from modulo.domain.collection import Chunking, Collection
from modulo.domain.deletion import Deletion, Held, Tally
from modulo.domain.document import Part
from modulo.domain.errors import QuotaExceeded
from modulo.domain.file import File, FileProblem, FileRef, Stage
from modulo.domain.filters import Condition
from modulo.domain.identity import Principal, Role
from modulo.domain.letter import Burial, BuriedLetter, DeadLetter, LetterPage
from modulo.domain.quota import Quotas, Reservation, Usage
from modulo.domain.reembedding import Reembedding, ReembeddingDraft, Started, State
from modulo.domain.transfer import (
    Claim,
    CollectionDraft,
    Cursor,
    FileDraft,
    Finished,
    Grant,
    Live,
    Matching,
    Member,
    PartResult,
    PartState,
    Purge,
    Swept,
)
from modulo.domain.value import Listing
from modulo.domain.web import Arrival, Fetch, Known, Validators


class PostgresMetadata(PostgresWatching):
    """Each method is one transaction, or one statement."""

    # Collections
    @override
    def create_collection(
        self, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
    ) -> Collection:
        return self._write(lambda c: collections.create_collection(c, principal, draft, limit=limit, now=now))

    @override
    def list_collections(
        self, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
    ) -> Listing[Collection]:
        return self._read(lambda c: collections.list_collections(c, principal, after=after, limit=limit, name=name))

    @override
    def get_collection(self, principal: Principal, collection_id: UUID) -> Collection:
        return self._read(lambda c: collections.get_collection(c, principal, collection_id))

    @override
    def update_collection(
        self, principal: Principal, collection_id: UUID, *, name: str | None, chunking: Chunking | None, now: datetime
    ) -> Collection:
        return self._write(
            lambda c: collections.update_collection(c, principal, collection_id, name=name, chunking=chunking, now=now)
        )

    @override
    def tombstone_collection(self, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
        self._write(lambda c: collections.tombstone_collection(c, principal, collection_id, now=now))

    @override
    def start_reembedding(
        self, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
    ) -> Started:
        return self._write(lambda c: reembedding.start(c, principal, collection_id, draft, now=now))

    @override
    def get_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        return self._write(lambda c: reembedding.get(c, principal, collection_id, now=now))

    @override
    def move_reembedding(
        self, principal: Principal, collection_id: UUID, to: State, *, leave_out: bool, now: datetime
    ) -> Reembedding:
        return self._write(lambda c: reembedding.move(c, principal, collection_id, to, leave_out=leave_out, now=now))

    @override
    def end_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        return self._write(lambda c: reembedding.end(c, principal, collection_id, now=now))

    # Members
    @override
    def list_members(self, principal: Principal, collection_id: UUID) -> list[Member]:
        return self._read(lambda c: members.list_members(c, principal, collection_id))

    @override
    def set_member(self, principal: Principal, collection_id: UUID, user_id: UUID, role: Role) -> Member:
        return self._write(lambda c: members.set_member(c, principal, collection_id, user_id, role))

    @override
    def remove_member(self, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
        self._write(lambda c: members.remove_member(c, principal, collection_id, user_id))

    # Files
    @override
    def reserve_file(
        self, principal: Principal, collection_id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime
    ) -> File:
        return self._write(lambda c: uploads.reserve_file(c, principal, collection_id, draft, quotas=quotas, now=now))

    @override
    def list_files(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, stage: Stage | None
    ) -> Listing[File]:
        return self._read(
            lambda c: files.list_files(c, principal, collection_id, after=after, limit=limit, stage=stage)
        )

    @override
    def changes(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, fresh: bool = False
    ) -> list[File]:
        ask = self._at_once if fresh else self._read
        return ask(lambda c: files.changes(c, principal, collection_id, after=after, limit=limit))

    @override
    def get_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, fresh: bool = False) -> File:
        ask = self._at_once if fresh else self._read
        return ask(lambda c: files.get_file(c, principal, collection_id, file_id))

    @override
    def remove_alias(
        self, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
    ) -> None:
        self._write(lambda c: aliases.remove_alias(c, principal, collection_id, file_id, name, now=now))

    @override
    def tombstone_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
        return self._write(lambda c: files.tombstone_file(c, principal, collection_id, file_id, now=now))

    # Archives
    @override
    def reserve_archived(self, claim: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime) -> File | None:
        return self._write(lambda c: archives.reserve_archived(c, claim, draft, quotas=quotas, now=now))

    @override
    def drop_archived(self, claim: Claim, *, keep: Sequence[str], now: datetime) -> bool:
        return self._write(lambda c: archives.drop_archived(c, claim, keep=keep, now=now))

    # Fetching
    @override
    def begin_fetch(self, ref: FileRef, *, now: datetime) -> Fetch | None:
        return self._write(lambda c: fetching.begin_fetch(c, ref, now=now))

    @override
    def arrive(self, ref: FileRef, arrival: Arrival, *, before: str | None, now: datetime) -> bool:
        return self._write(lambda c: fetching.arrive(c, ref, arrival, before=before, now=now))

    @override
    def unchanged(
        self, ref: FileRef, known: Known, validators: Validators | None, *, before: str | None, now: datetime
    ) -> bool:
        return self._write(lambda c: fetching.unchanged(c, ref, known, validators, before=before, now=now))

    @override
    def refuse(self, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
        return self._write(lambda c: fetching.refuse(c, ref, problem, now=now))

    # Ingestion
    @override
    def claim(
        self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
    ) -> Claim | None:
        times = {"now": now, "lease_until": lease_until, "deadline": deadline}
        try:
            return self._write(
                lambda c: (
                    ingestion.claim(c, ref, version=version, **times)
                    or ingestion.retry(c, ref, version=version, **times)
                )
            )
        except QuotaExceeded:
            return None

    @override
    def advance(
        self,
        claim: Claim,
        stage: Stage,
        *,
        pages_done: int | None = None,
        pages_total: int | None = None,
        lease_until: datetime,
        now: datetime,
    ) -> bool:
        pages = {"pages_done": pages_done, "pages_total": pages_total}
        return self._write(lambda c: ingestion.advance(c, claim, stage, **pages, lease_until=lease_until, now=now))

    @override
    def publish(self, claim: Claim, **found: Any) -> bool:
        return self._write(lambda c: ingestion.publish(c, claim, **found))

    @override
    def fail(self, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        return self._write(lambda c: ingestion.fail(c, claim, problem, now=now))

    @override
    def release(self, claim: Claim, *, now: datetime) -> None:
        self._write(lambda c: ingestion.release(c, claim, now=now))

    @override
    def count_anew(self, ref: FileRef) -> None:
        self._at_once(lambda c: ingestion.count_anew(c, ref))

    @override
    def divide(self, claim: Claim, parts: Sequence[Part], **found: Any) -> bool:
        return self._write(lambda c: dividing.divide(c, claim, parts, **found))

    @override
    def parts(self, ref: FileRef) -> list[PartState]:
        return self._at_once(lambda c: dividing.parts_of(c, ref))

    @override
    def claim_part(self, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
        return self._write(lambda c: dividing.claim_part(c, ref, number, now=now, lease_until=lease_until))

    @override
    def finish_part(self, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime) -> Finished | None:
        return self._write(lambda c: dividing.finish_part(c, claim, result, lease_until=lease_until, now=now))

    @override
    def viable(self, ref: FileRef) -> bool:
        return self._at_once(lambda c: ingestion.viable(c, ref))

    @override
    def sweep(self, *, now: datetime, limit: int) -> Swept:
        return self._write(lambda c: sweeping.sweep(c, now=now, limit=limit))

    @override
    def purge_of(self, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
        return self._at_once(lambda c: purging.purge_of(c, tenant_id, collection_id, file_id))

    @override
    def record(self, tenant_id: UUID, tally: Tally, held: Held, *, cached: int, now: datetime) -> Tally | None:
        return self._write(lambda c: deletions.record(c, tenant_id, tally, held, cached=cached, now=now))

    @override
    def purged(self, purge: Purge, *, now: datetime) -> bool:
        return self._write(lambda c: purging.purged(c, purge, now=now))

    # Deletions
    @override
    def list_deletions(self, principal: Principal, *, after: Cursor | None, limit: int) -> Listing[Deletion]:
        return self._read(lambda c: deletions.list_deletions(c, principal, after=after, limit=limit))

    @override
    def get_deletion(self, principal: Principal, deletion_id: UUID) -> Deletion:
        return self._at_once(lambda c: deletions.get_deletion(c, principal, deletion_id))

    @override
    def find_deletion(self, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
        return self._at_once(lambda c: deletions.find_deletion(c, tenant_id, deletion_id))

    @override
    def forget_deletions(self, *, before: datetime, limit: int) -> int:
        return self._write(lambda c: deletions.forget_deletions(c, before=before, limit=limit))

    # Dead letters
    @override
    def bury(self, burial: Burial, *, now: datetime) -> bool:
        return self._write(lambda c: letters.bury(c, burial, now=now))

    @override
    def list_letters(self, principal: Principal, collection_id: UUID, page: LetterPage) -> Listing[DeadLetter]:
        return self._at_once(lambda c: letters.list_letters(c, principal, collection_id, page))

    @override
    def buried_letters(self, page: LetterPage) -> Listing[BuriedLetter]:
        return self._at_once(lambda c: letters.buried_letters(c, page))

    @override
    def mark_retried(self, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
        return self._write(lambda c: letters.mark_retried(c, tenant_id, letter_ids, now=now))

    @override
    def discard_letters(self, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
        return self._write(lambda c: letters.discard_letters(c, tenant_id, letter_ids))

    # Search
    @override
    def grant(self, principal: Principal, collection_id: UUID) -> Grant:
        return self._read(lambda c: search.grant(c, principal, collection_id))

    @override
    def matching(
        self, principal: Principal, collection_id: UUID, conditions: Sequence[Condition], *, limit: int
    ) -> Matching:
        return self._read(lambda c: search.matching(c, principal, collection_id, conditions, limit))

    @override
    def live_documents(
        self, principal: Principal, collection_id: UUID, file_ids: Sequence[UUID], *, reservation: Reservation | None
    ) -> Live:
        # From the writer: a result is cached under the grant that this reads, and a reader that lags behind
        # would let a deleted document into the cache.
        return self._at_once(lambda c: search.live_documents(c, principal, collection_id, file_ids, reservation))

    # Usage
    @override
    def usage(self, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
        return self._read(lambda c: usage.usage_of(c, principal, period=period, quotas=quotas))

    @override
    def settle_tokens(self, principal: Principal, *, period: date, reserved: int, used: int) -> None:
        self._at_once(lambda c: usage.settle_tokens(c, principal, period=period, reserved=reserved, used=used))

    @override
    def open_period(self, period: date, *, keep_from: date) -> bool:
        return self._write(lambda c: usage.open_period(c, period, keep_from=keep_from))

    @override
    def ping(self) -> None:
        for pool in dict.fromkeys((self._writer, self._reader)):
            with statements(pool) as connection:
                connection.execute(text("SELECT 1"))
