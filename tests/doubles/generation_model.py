"""A reference model of one collection's files: their generations, the claims of these, and their parts.

It says in plain Python what the statements of `adapters/postgres` have to do, for the property tests to compare with.
It has their methods, and answers with what `meaning` leaves of their answers. What can be derived is not stored: the
storage that is charged is a sum, not a counter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from modulo.domain.collections.collection import Chunking, EmbeddingModel, Space
from modulo.domain.documents.document import Part
from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.files import generation as life
from modulo.domain.files.file import UNFINISHED, WAITING, WORKING, FileProblem, FileRef, Stage
from modulo.domain.files.upload import FileDraft
from modulo.domain.ingestion.claim import Claim, PartCompletion, PartResult, PartState
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.tenancy.identity import Principal
from modulo.domain.tenancy.quota import Quotas

SEEN = ("id", "stage", "generation", "live_generation", "source", "size_bytes", "updated_at")
SEEN += ("pages_done", "pages_total", "started_at", "problem", "chunk_count")


@dataclass
class PartRow:
    part: Part
    claim_token: UUID | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    pages_done: int = 0
    result: PartResult | None = None


@dataclass
class Generation:
    file: "FileRow" = field(repr=False)
    number: int
    source: int
    size_bytes: int
    deadline: datetime
    created_at: datetime
    updated_at: datetime
    arrives_until: datetime | None = None
    index: int | None = None
    object_version: str | None = None
    stage: Stage = Stage.awaiting_upload
    charged: bool = True
    claim_token: UUID | None = None
    lease_until: datetime | None = None
    attempt: int = 0
    parts: list[PartRow] = field(default_factory=list)
    divided: bool = False
    pages_done: int = 0
    pages_total: int | None = None
    started_at: datetime | None = None
    chunk_count: int | None = None
    problem: FileProblem | None = None
    retired_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None

    @property
    def retryable(self) -> bool:
        return self.stage is Stage.failed and self.problem.retryable and self.retired_at is None

    @property
    def family(self) -> list["Generation"]:
        return [one for one in self.file.generations if one.source == self.source]

    def end(self, stage: Stage, now: datetime, lease_until: datetime | None = None) -> None:
        self.stage, self.claim_token, self.lease_until, self.updated_at = stage, None, lease_until, now

    def fail(self, problem: FileProblem, now: datetime) -> None:
        self.end(Stage.failed, now)
        self.problem, self.charged, self.parts = problem, False, []
        self.retired_at = None if problem.retryable else now
        self.purge_after = now + (life.RETRY_WINDOW if problem.retryable else life.PURGE_AFTER)

    def retire(self, now: datetime) -> None:
        self.end(Stage.deleting if self.stage in UNFINISHED else self.stage, now)
        self.retired_at, self.purge_after = now, now + life.PURGE_AFTER


@dataclass
class FileRow:
    id: UUID
    name: str
    generations: list[Generation] = field(default_factory=list)
    generation: int = 1
    live_generation: int | None = None
    deleted_at: datetime | None = None
    purge_after: datetime | None = None
    purged_at: datetime | None = None
    open_until: datetime | None = None

    @property
    def newest(self) -> Generation:
        return self.generations[self.generation - 1]


class GenerationModel:
    """Every role of the metadata is this one object."""

    def __init__(self, owner: Principal, collection_id: UUID, model: EmbeddingModel, now: datetime) -> None:
        self.owner, self.place = owner, (owner.tenant_id, collection_id)
        self.index, self.version, self.updated_at = 1, 1, now
        self.files_by_id: dict[UUID, FileRow] = {}
        self.models = {1: (model, Chunking())}
        """What each index is made with."""
        for role in ("uploads", "files", "ingestion", "sweeping", "purging", "deletions", "grants", "usage"):
            setattr(self, role, self)
        self.parts = SimpleNamespace(
            divide=self.divide, parts=self.list_parts, claim_part=self.claim_part, finish_part=self.finish_part
        )

    @property
    def living(self) -> list[FileRow]:
        return [file for file in self.files_by_id.values() if file.deleted_at is None]

    @property
    def rows(self) -> list[Generation]:
        return [row for file in self.files_by_id.values() for row in file.generations]

    @property
    def storage_bytes(self) -> int:
        return sum(row.size_bytes for row in self.rows if row.charged)

    def ref(self, row: Generation) -> FileRef:
        return FileRef(*self.place, row.file.id, row.number, row.source)

    def space(self, index: int) -> Space:
        return Space(*self.place, self.owner.user_id, self.models[index][0], dedicated=False, index=index)

    # Uploads
    def reserve_file(self, _owner: Principal, _id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime) -> Any:
        file = next((one for one in self.living if one.name == draft.name), None)
        before = file.newest if file else None
        waiting = before if before and before.stage is Stage.awaiting_upload else None
        if before and before.stage in UNFINISHED and not waiting:
            raise Conflict
        freed = waiting.size_bytes if waiting else 0
        if self.storage_bytes - freed + draft.size_bytes > quotas.storage_bytes:
            raise QuotaExceeded
        if waiting:
            waiting.fail(life.SUPERSEDED, now)
            waiting.retired_at, waiting.purge_after = now, waiting.deadline
        elif before and before.stage is Stage.failed and before.retired_at is None:
            before.retired_at, before.purge_after = now, now + life.PURGE_AFTER
        self.limit = quotas.storage_bytes
        file = file or self.files_by_id.setdefault(draft.id, FileRow(draft.id, draft.name))
        file.generation = number = len(file.generations) + 1
        times = {"deadline": draft.deadline, "arrives_until": draft.arrives_until, "created_at": now, "updated_at": now}
        file.generations.append(Generation(file, number, number, draft.size_bytes, **times))
        return self.view(file)

    def view(self, file: FileRow) -> tuple[Any, ...]:
        own = {"id": file.id, "generation": file.generation, "live_generation": file.live_generation}
        return tuple(own[name] if name in own else getattr(file.newest, name) for name in SEEN)

    def get_file(self, _owner: Principal, _id: UUID, file_id: UUID, **_: bool) -> Any:
        if self.files_by_id[file_id].deleted_at:
            raise NotFound
        return self.view(self.files_by_id[file_id])

    def changes(self, _owner: Principal, _id: UUID, *, after: Any, **_: Any) -> Any:
        found = sorted((row.newest.updated_at, row.id) for row in self.files_by_id.values())
        return [self.view(self.files_by_id[id_]) for moment, id_ in found if (moment, id_) > (after.moment, after.id)]

    # Claims
    def wanted(self, ref: FileRef) -> Generation | None:
        """The generation, if something may still be done with it."""
        file = self.files_by_id[ref.file_id]
        row = file.generations[ref.generation - 1]
        reindexed = row.source != row.number and row.retired_at is None
        return row if not file.deleted_at and (row is file.newest or reindexed) else None

    def held(self, claim: Claim) -> Generation | None:
        """The claimed generation, as long as the claim of it or of its part holds."""
        row = self.wanted(claim.ref)
        if row is None or claim.part is None:
            return row if row and row.claim_token == claim.token else None
        part = row.parts[claim.part.number] if claim.part.number < len(row.parts) else PartRow(claim.part)
        return row if row.stage in UNFINISHED and part.claim_token == claim.token else None

    def claim_of(self, row: Generation, part: PartRow | None = None) -> Claim:
        held, made_with = part or row, (self.space(row.index), self.models[row.index][1])
        file = (row.file.name, "application/pdf", row.size_bytes, None, row.object_version)
        what = {"divided": row.divided, "part": part.part if part else None}
        return Claim(self.ref(row), held.claim_token, held.attempt, *made_with, *file, **what)

    def claim(self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime) -> Any:
        row = self.wanted(ref)
        if row is None:
            return None
        if row.retryable:
            paid = any(one.charged for one in row.family)
            if not paid and self.storage_bytes + row.size_bytes > self.limit:
                return None
            row.charged, row.problem, row.purge_after, row.divided, row.parts = not paid, None, None, False, []
            row.deadline = deadline
        elif not (row.stage in WAITING or (row.stage in WORKING and row.lease_until <= now)):
            return None
        row.deadline = row.deadline if row.attempt else deadline
        row.pages_done, row.started_at = (row.pages_done, row.started_at) if row.divided else (0, now)
        row.stage, row.claim_token, row.lease_until, row.updated_at = Stage.parsing, uuid4(), lease_until, now
        row.attempt, row.index = row.attempt + 1, row.index or self.index
        row.object_version = row.object_version or version
        return self.claim_of(row)

    def reset_attempts(self, ref: FileRef) -> None:
        row = self.wanted(ref)
        if row and row.retryable:
            row.attempt = 0

    def advance(self, claim: Claim, stage: Stage, *, lease_until: datetime, now: datetime, **pages: int | None) -> bool:
        row = self.held(claim)
        if row is None:
            return False
        row.lease_until, row.updated_at = lease_until, now
        if claim.part is not None:
            part = row.parts[claim.part.number]
            row.pages_done += pages["pages_done"] - part.pages_done
            part.lease_until, part.pages_done = lease_until, pages["pages_done"]
        else:
            row.stage, row.pages_done, row.pages_total = stage, pages["pages_done"], pages["pages_total"]
        return True

    def publish(self, claim: Claim, *, chunk_count: int, now: datetime, **_: Any) -> bool:
        row = self.held(claim)
        if row is None:
            return False
        row.end(Stage.ready, now)
        row.parts, row.chunk_count = [], chunk_count
        self.go_live(row, now)
        return True

    def go_live(self, row: Generation, now: datetime) -> None:
        if row.index == self.index:
            row.file.live_generation = row.number
            for older in (one for one in row.file.generations if one.source < row.source and not one.retired_at):
                older.retire(now)
            self.version, self.updated_at = self.version + 1, now

    def fail(self, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        row = self.held(claim)
        if row:
            row.fail(problem, now)
        return row is not None

    def release(self, claim: Claim, *, now: datetime) -> None:
        row = self.held(claim)
        if row and claim.part:
            part = row.parts[claim.part.number]
            part.claim_token = part.lease_until = None
        elif row:
            row.end(Stage.queued, now, now if row.divided else None)

    # Parts
    def divide(self, claim: Claim, parts: Sequence[Part], *, pages_total: int, now: datetime, **times: Any) -> bool:
        row = self.held(claim)
        if row:
            row.stage, row.divided, row.pages_done, row.pages_total = Stage.embedding, True, 0, pages_total
            row.updated_at, row.lease_until, row.deadline = now, times["lease_until"], times["deadline"]
            row.parts = [PartRow(part) for part in parts]
        return row is not None

    def list_parts(self, ref: FileRef) -> list[PartState]:
        row = self.wanted(ref)
        return [PartState(part.part, part.result) for part in row.parts] if row else []

    def claim_part(self, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
        row = self.wanted(ref)
        part = row.parts[number] if row and row.stage in UNFINISHED and number < len(row.parts) else None
        if row is None or part is None or part.result or (part.claim_token and part.lease_until > now):
            return None
        row.pages_done, row.lease_until = row.pages_done - part.pages_done, lease_until
        part.claim_token, part.lease_until, part.attempt, part.pages_done = uuid4(), lease_until, part.attempt + 1, 0
        return self.claim_of(row, part)

    def finish_part(self, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime) -> Any:
        row = self.held(claim)
        if row is None:
            return None
        part = row.parts[claim.part.number]
        part.claim_token, part.lease_until, part.result = None, None, result
        row.lease_until, row.updated_at = lease_until, now
        left = sum(one.result is None for one in row.parts)
        if left:
            return PartCompletion(left, None)
        row.stage, row.claim_token = Stage.indexing, uuid4()
        return PartCompletion(0, self.claim_of(row))

    def sweep(self, *, now: datetime, limit: int) -> Any:
        alive = [row for row in self.rows if self.wanted(self.ref(row)) and row.stage in UNFINISHED]
        late = [row for row in alive if row.deadline <= now]
        stalled = [row for row in alive if row not in late and row.lease_until and row.lease_until <= now]
        due = [row for row in (*self.files_by_id.values(), *self.rows) if row.purge_after and row.purge_after <= now]
        for row in late:
            row.fail(life.NEVER_UPLOADED if row.stage is Stage.awaiting_upload else life.DEADLINE_EXCEEDED, now)
        for row in stalled:
            row.end(Stage.queued, now, now + life.REPEAT_AFTER)
        for row in due:
            row.purge_after = now + life.REPEAT_AFTER
            if isinstance(row, Generation):
                row.retired_at = row.retired_at or now
        failed, requeue = ([self.ref(row) for row in kind] for kind in (late, stalled))
        ids = [row.file.id if isinstance(row, Generation) else row.id for row in due]
        return SimpleNamespace(failed=failed, requeue=requeue, purge=[PurgeRequest(*self.place, id_) for id_ in ids])

    # Searches
    def live_documents(self, _owner: Principal, _ids: Sequence[UUID], file_ids: Sequence[UUID], **_: Any) -> Any:
        live = {row.id: row.live_generation for row in self.living if row.id in file_ids and row.live_generation}
        return live, self.grant()

    def grant(self, *_: Any) -> tuple[int, int]:
        return self.index, self.version

    def get_usage(self, *_: Any, **_more: Any) -> Any:
        return SimpleNamespace(storage_bytes=self.storage_bytes)
