"""The Metadata port in this process's memory: the same promises, gone when the process ends."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from typing_extensions import override

from modulo.adapters.memory_metadata import (
    archives,
    collections,
    deletions,
    fetching,
    files,
    ingestion,
    letters,
    purging,
    reembedding,
    usage,
)
from modulo.adapters.memory_metadata import parts as dividing
from modulo.adapters.memory_metadata.store import CollectionRow, Store
from modulo.adapters.memory_metadata.watching import MemoryWatching
from modulo.domain.collection import Chunking, Collection
from modulo.domain.deletion import Deletion, Held, Tally
from modulo.domain.document import Part
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


class MemoryMetadata(MemoryWatching):
    """Each method checks everything before it changes anything."""

    # Collections
    @override
    def create_collection(
        self, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
    ) -> Collection:
        return self._locked(lambda s: collections.create_collection(s, principal, draft, limit=limit, now=now))

    @override
    def list_collections(
        self, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
    ) -> Listing[Collection]:
        return self._locked(lambda s: collections.list_collections(s, principal, after=after, limit=limit, name=name))

    @override
    def get_collection(self, principal: Principal, collection_id: UUID) -> Collection:
        return self._locked(lambda s: s.view(s.visible(principal, collection_id), principal))

    @override
    def update_collection(
        self, principal: Principal, collection_id: UUID, *, name: str | None, chunking: Chunking | None, now: datetime
    ) -> Collection:
        return self._locked(
            lambda s: collections.update_collection(s, principal, collection_id, name=name, chunking=chunking, now=now)
        )

    @override
    def tombstone_collection(self, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
        self._locked(lambda s: collections.tombstone_collection(s, principal, collection_id, now=now))

    @override
    def start_reembedding(
        self, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
    ) -> Started:
        return self._locked(lambda s: reembedding.start(s, principal, collection_id, draft, now=now))

    @override
    def get_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        return self._locked(lambda s: reembedding.get(s, principal, collection_id, now=now))

    @override
    def move_reembedding(
        self, principal: Principal, collection_id: UUID, to: State, *, leave_out: bool, now: datetime
    ) -> Reembedding:
        return self._locked(lambda s: reembedding.move(s, principal, collection_id, to, leave_out=leave_out, now=now))

    @override
    def end_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        return self._locked(lambda s: reembedding.end(s, principal, collection_id, now=now))

    # Members
    @override
    def list_members(self, principal: Principal, collection_id: UUID) -> list[Member]:
        return self._locked(lambda s: collections.list_members(s, principal, collection_id))

    @override
    def set_member(self, principal: Principal, collection_id: UUID, user_id: UUID, role: Role) -> Member:
        return self._locked(lambda s: collections.set_member(s, principal, collection_id, user_id, role))

    @override
    def remove_member(self, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
        self._locked(lambda s: collections.remove_member(s, principal, collection_id, user_id))

    # Files
    @override
    def reserve_file(
        self, principal: Principal, collection_id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime
    ) -> File:
        return self._locked(lambda s: files.reserve_file(s, principal, collection_id, draft, quotas=quotas, now=now))

    @override
    def list_files(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, stage: Stage | None
    ) -> Listing[File]:
        return self._locked(
            lambda s: files.list_files(s, principal, collection_id, after=after, limit=limit, stage=stage)
        )

    @override
    def changes(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, fresh: bool = False
    ) -> list[File]:
        return self._locked(lambda s: files.changes(s, principal, collection_id, after=after, limit=limit))

    @override
    def get_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, fresh: bool = False) -> File:
        return self._locked(lambda s: files.get_file(s, principal, collection_id, file_id))

    @override
    def remove_alias(
        self, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
    ) -> None:
        self._locked(lambda s: files.remove_alias(s, principal, collection_id, file_id, name, now=now))

    @override
    def tombstone_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
        return self._locked(lambda s: files.tombstone_file(s, principal, collection_id, file_id, now=now))

    @override
    def reserve_archived(self, claim: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime) -> File | None:
        return self._locked(lambda s: archives.reserve_archived(s, claim, draft, quotas=quotas, now=now))

    @override
    def drop_archived(self, claim: Claim, *, keep: Sequence[str], now: datetime) -> bool:
        return self._locked(lambda s: archives.drop_archived(s, claim, keep=keep, now=now))

    # Fetching
    @override
    def begin_fetch(self, ref: FileRef, *, now: datetime) -> Fetch | None:
        return self._locked(lambda s: fetching.begin_fetch(s, ref, now=now))

    @override
    def arrive(self, ref: FileRef, arrival: Arrival, *, before: str | None, now: datetime) -> bool:
        return self._locked(lambda s: fetching.arrive(s, ref, arrival, before=before, now=now))

    @override
    def unchanged(
        self, ref: FileRef, known: Known, validators: Validators | None, *, before: str | None, now: datetime
    ) -> bool:
        return self._locked(lambda s: fetching.unchanged(s, ref, known, validators, before=before, now=now))

    @override
    def refuse(self, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
        return self._locked(lambda s: fetching.refuse(s, ref, problem, now=now))

    # Ingestion
    @override
    def claim(
        self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
    ) -> Claim | None:
        return self._locked(
            lambda s: ingestion.claim(s, ref, version=version, now=now, lease_until=lease_until, deadline=deadline)
        )

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
        return self._locked(lambda s: ingestion.advance(s, claim, stage, **pages, lease_until=lease_until, now=now))

    @override
    def publish(self, claim: Claim, **found: Any) -> bool:
        return self._locked(lambda s: ingestion.publish(s, claim, **found))

    @override
    def fail(self, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        return self._locked(lambda s: ingestion.fail(s, claim, problem, now=now))

    @override
    def release(self, claim: Claim, *, now: datetime) -> None:
        self._locked(lambda s: ingestion.release(s, claim, now=now))

    @override
    def count_anew(self, ref: FileRef) -> None:
        self._locked(lambda s: ingestion.count_anew(s, ref))

    @override
    def divide(self, claim: Claim, parts: Sequence[Part], **found: Any) -> bool:
        return self._locked(lambda s: dividing.divide(s, claim, parts, **found))

    @override
    def parts(self, ref: FileRef) -> list[PartState]:
        return self._locked(lambda s: dividing.parts(s, ref))

    @override
    def claim_part(self, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
        return self._locked(lambda s: dividing.claim_part(s, ref, number, now=now, lease_until=lease_until))

    @override
    def finish_part(self, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime) -> Finished | None:
        return self._locked(lambda s: dividing.finish_part(s, claim, result, lease_until=lease_until, now=now))

    @override
    def viable(self, ref: FileRef) -> bool:
        return self._locked(lambda s: ingestion.viable(s, ref))

    @override
    def sweep(self, *, now: datetime, limit: int) -> Swept:
        return self._locked(lambda s: purging.sweep(s, now=now, limit=limit))

    @override
    def purge_of(self, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
        return self._locked(lambda s: purging.purge_of(s, tenant_id, collection_id, file_id))

    @override
    def record(self, tenant_id: UUID, tally: Tally, held: Held, *, cached: int, now: datetime) -> Tally | None:
        return self._locked(lambda s: deletions.record(s, tenant_id, tally, held, cached=cached, now=now))

    @override
    def purged(self, purge: Purge, *, now: datetime) -> bool:
        return self._locked(lambda s: purging.purged(s, purge, now=now))

    # Deletions
    @override
    def list_deletions(self, principal: Principal, *, after: Cursor | None, limit: int) -> Listing[Deletion]:
        return self._locked(lambda s: deletions.list_deletions(s, principal, after=after, limit=limit))

    @override
    def get_deletion(self, principal: Principal, deletion_id: UUID) -> Deletion:
        return self._locked(lambda s: deletions.get_deletion(s, principal, deletion_id))

    @override
    def find_deletion(self, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
        return self._locked(lambda s: deletions.find_deletion(s, tenant_id, deletion_id))

    @override
    def forget_deletions(self, *, before: datetime, limit: int) -> int:
        return self._locked(lambda s: deletions.forget_deletions(s, before=before, limit=limit))

    # Dead letters
    @override
    def bury(self, burial: Burial, *, now: datetime) -> bool:
        return self._locked(lambda s: letters.bury(s, burial, now=now))

    @override
    def list_letters(self, principal: Principal, collection_id: UUID, page: LetterPage) -> Listing[DeadLetter]:
        return self._locked(lambda s: letters.list_letters(s, principal, collection_id, page))

    @override
    def buried_letters(self, page: LetterPage) -> Listing[BuriedLetter]:
        return self._locked(lambda s: letters.buried_letters(s, page))

    @override
    def mark_retried(self, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
        return self._locked(lambda s: letters.mark_retried(s, tenant_id, letter_ids, now=now))

    @override
    def discard_letters(self, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
        return self._locked(lambda s: letters.discard_letters(s, tenant_id, letter_ids))

    # Search
    @override
    def grant(self, principal: Principal, collection_id: UUID) -> Grant:
        return self._locked(lambda s: _grant(s.visible(principal, collection_id)))

    @override
    def matching(
        self, principal: Principal, collection_id: UUID, conditions: Sequence[Condition], *, limit: int
    ) -> Matching:
        def work(s: Store) -> Matching:
            collection = s.visible(principal, collection_id)
            return Matching(_grant(collection), files.matching(s, collection, conditions, limit))

        return self._locked(work)

    @override
    def live_documents(
        self, principal: Principal, collection_id: UUID, file_ids: Sequence[UUID], *, reservation: Reservation | None
    ) -> Live:
        return self._locked(lambda s: _live_documents(s, principal, collection_id, file_ids, reservation))

    # Usage
    @override
    def usage(self, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
        return self._locked(lambda s: usage.usage_of(s, principal, period=period, quotas=quotas))

    @override
    def settle_tokens(self, principal: Principal, *, period: date, reserved: int, used: int) -> None:
        self._locked(lambda s: usage.settle_tokens(s, principal, period=period, reserved=reserved, used=used))

    @override
    def open_period(self, period: date, *, keep_from: date) -> bool:
        return self._locked(lambda s: usage.open_period(s, period, keep_from=keep_from))

    @override
    def ping(self) -> None:
        """It is always there."""


def _grant(row: CollectionRow) -> Grant:
    return Grant(row.space, row.version)


def _live_documents(
    store: Store,
    principal: Principal,
    collection_id: UUID,
    file_ids: Sequence[UUID],
    reservation: Reservation | None,
) -> Live:
    collection = store.visible(principal, collection_id)
    reserved = reservation is None or usage.reserve(store, principal, reservation)
    return Live(_grant(collection), files.live_documents(store, collection, file_ids), reserved)
