"""Dead letters: messages whose every delivery failed, kept until someone retries or discards them.

    waiting ─retry→ retried;  both ─the file became ready, was replaced or deleted, or lost its bytes→ closed

A letter is about a part, a file or a collection; there is one about each at most, that of the latest death. One
that nobody can read, about what does not exist or about a whole tenant, is the operator's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import Field

from modulo.domain.file import FileProblem, FileRef
from modulo.domain.transfer import Cursor, FetchRequest, IngestRequest, PurgeRequest
from modulo.domain.value import Listing, Value

LONGEST_BODY = 16_384
"""Characters of a message that are kept."""

KEPT = timedelta(days=30)
"""How long a letter waits for someone."""

Request = IngestRequest | FetchRequest | PurgeRequest
FUNCTIONS: Mapping[type[Request], str] = {
    IngestRequest: "ingest_file",
    FetchRequest: "fetch_url",
    PurgeRequest: "purge",
}
"""Whose message each request is."""


class Place(NamedTuple):
    """What a request is about."""

    tenant_id: UUID
    collection_id: UUID | None
    file_id: UUID | None
    generation: int | None
    part: int | None

    @classmethod
    def of(cls, request: Request) -> "Place":
        """The place of a request."""
        if isinstance(request, PurgeRequest):
            return cls(request.tenant_id, request.collection_id, request.file_id, None, None)
        part = request.part if isinstance(request, IngestRequest) else None
        ref = request.ref
        return cls(ref.tenant_id, ref.collection_id, ref.file_id, ref.generation, part)


class LetterState(StrEnum):
    """What is to be done about a letter."""

    waiting = "waiting"
    retried = "retried"
    closed = "closed"


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Which letters to list: those in the state, or the one, as far as such is given."""

    limit: int
    after: Cursor | None = None
    state: LetterState | None = None
    letter_id: UUID | None = None


class DeadLetter(Value):
    """A message that was given up, as those see it whose file or collection it is about."""

    id: UUID
    message_id: str = Field(description="under which the logs tell of its deliveries")
    function: str | None = Field(
        description="whose message it was: ingest_file, fetch_url or purge; null where nobody knows"
    )
    file_id: UUID | None
    name: str | None = Field(description="the file's")
    generation: int | None
    source: int | None = Field(description="the generation that was uploaded; others embed its bytes anew")
    part: int | None = Field(description="of a file that is ingested in parts")
    problem: FileProblem
    attempts: int
    state: LetterState = Field(
        description="closed: nothing is left to do, its file being ready, replaced, deleted or failed for good"
    )
    sent_at: datetime | None
    buried_at: datetime
    retried_at: datetime | None

    def request(self, tenant_id: UUID, collection_id: UUID) -> Request:
        """What the message asked for, in that collection."""
        if self.file_id is None or self.generation is None:
            return PurgeRequest(tenant_id, collection_id, self.file_id)
        ref = FileRef(tenant_id, collection_id, self.file_id, self.generation, self.source)
        return FetchRequest(ref) if self.function == FUNCTIONS[FetchRequest] else IngestRequest(ref, self.part)


DeadLetters = Listing[DeadLetter]
"""A page of them."""


class BuriedLetter(DeadLetter):
    """A dead letter as the operator sees it."""

    tenant_id: UUID | None
    collection_id: UUID | None
    body: str


@dataclass(frozen=True, slots=True)
class Burial:
    """A message that was given up and is about to be recorded; `request` is None where it cannot be read."""

    id: UUID
    message_id: str
    function: str | None
    request: Request | None
    body: str
    problem: FileProblem
    attempts: int
    sent_at: datetime | None
