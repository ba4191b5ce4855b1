"""Dead letters: messages whose every delivery failed, kept until someone retries or discards them.

    waiting ─retry→ retried;  both ─the file became ready, was replaced or deleted, or lost its bytes→ closed

A dead letter is about a part, a file or a collection, and replaces an earlier one about the same. Only the operator
sees dead letters that cannot be parsed, that are about something unknown, or about a whole tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from modulo.domain.files.file import FileProblem, FileRef
from modulo.domain.model import FrozenModel
from modulo.domain.operations.messages import FetchRequest, IngestRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.pagination import Cursor

MAX_BODY_CHARACTERS = 16_384
"""How much of a message is stored."""

RETENTION = timedelta(days=30)
"""How long dead letters are kept."""

Request = IngestRequest | FetchRequest | PurgeRequest
FUNCTIONS: Mapping[type[Request], str] = {
    IngestRequest: "ingest_file",
    FetchRequest: "fetch_url",
    PurgeRequest: "purge",
}
"""The function that handles each kind of request."""


class Subject(NamedTuple):
    """What a request is about; the part of it that is None is not named."""

    tenant_id: UUID
    collection_id: UUID | None
    file_id: UUID | None
    generation: int | None
    part: int | None

    @classmethod
    def of(cls, request: Request) -> "Subject":
        """The subject of a request."""
        if isinstance(request, PurgeRequest):
            return cls(request.tenant_id, request.collection_id, request.file_id, None, None)
        part = request.part if isinstance(request, IngestRequest) else None
        ref = request.ref
        return cls(ref.tenant_id, ref.collection_id, ref.file_id, ref.generation, part)


class DeadLetterState(StrEnum):
    """What remains to be done about a dead letter."""

    waiting = "waiting"
    retried = "retried"
    closed = "closed"


@dataclass(frozen=True, slots=True)
class DeadLetterQuery:
    """Which dead letters to list; `state` and `letter_id` filter them where given."""

    limit: int
    after: Cursor | None = None
    state: DeadLetterState | None = None
    letter_id: UUID | None = None


class DeadLetter(FrozenModel):
    """A message whose every delivery failed, as the editors of its collection see it."""

    id: UUID
    message_id: str = Field(description="the id of the message in the logs")
    function: str | None = Field(
        description="the function that failed: ingest_file, fetch_url or purge; absent where unknown"
    )
    file_id: UUID | None
    name: str | None = Field(description="the file's")
    generation: int | None
    source: int | None = Field(description="the generation that was uploaded; others re-embed its bytes")
    part: int | None = Field(description="of a file that is ingested in parts")
    problem: FileProblem
    attempts: int
    state: DeadLetterState = Field(
        description="closed: nothing is left to do, its file being ready, replaced, deleted or failed for good"
    )
    sent_at: datetime | None
    buried_at: datetime
    retried_at: datetime | None

    def request(self, tenant_id: UUID, collection_id: UUID) -> Request:
        """The request that the message made."""
        if self.file_id is None or self.generation is None:
            return PurgeRequest(tenant_id, collection_id, self.file_id)
        ref = FileRef(tenant_id, collection_id, self.file_id, self.generation, self.source)
        return FetchRequest(ref) if self.function == FUNCTIONS[FetchRequest] else IngestRequest(ref, self.part)


class OperatorDeadLetter(DeadLetter):
    """A dead letter as the operator sees it."""

    tenant_id: UUID | None
    collection_id: UUID | None
    body: str


@dataclass(frozen=True, slots=True)
class DeadLetterDraft:
    """A dead letter about to be recorded; `request` is None where the message cannot be parsed."""

    id: UUID
    message_id: str
    function: str | None
    request: Request | None
    body: str
    problem: FileProblem
    attempts: int
    sent_at: datetime | None
