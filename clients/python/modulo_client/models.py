"""What the server tells, as the API's OpenAPI document describes it.

Fields that a later server adds are kept (`model_extra`). What a server leaves out, because there is none, is None or
empty here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Role = Literal["owner", "editor", "viewer"]
Rating = Literal["up", "down"]
OnDuplicate = Literal["existing", "alias", "new"]
UNFINISHED = frozenset({"awaiting_upload", "fetching", "queued", "parsing", "embedding", "indexing"})
"""The stages of a file that is still being read."""


class Model(BaseModel):
    """The base of all: immutable."""

    model_config = ConfigDict(frozen=True, extra="allow")


class FileProblem(Model):
    """Why a file failed, and whether a retry can help."""

    code: str
    detail: str
    retryable: bool


class File(Model):
    """A file of a collection; `stage` is at its end `ready`, `failed` or `deleted`."""

    id: UUID
    collection_id: UUID
    name: str
    stage: str
    generation: int
    media_type: str
    size_bytes: int
    aliases: tuple[str, ...] = ()
    checksum_sha256: str | None = None
    source_url: str | None = None
    url: str | None = None
    pages_done: int = 0
    pages_total: int | None = None
    chunk_count: int | None = None
    problem: FileProblem | None = None
    next_attempt_at: datetime | None = None
    document: dict[str, Any] | None = None
    attributes: dict[str, Any] = {}
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    estimated_ready_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether it is no longer being read."""
        return self.stage not in UNFINISHED


class UploadReceipt(Model):
    """A file was accepted; `duplicate_of` names the file that holds the same bytes already."""

    file_id: UUID
    task_id: UUID
    status: str = "processing"
    generation: int
    url: str | None = None
    duplicate_of: str | None = None


class PresignedPost(Model):
    """Where to send a file's bytes, as a form."""

    url: str
    fields: dict[str, str]


class UploadTicket(Model):
    """A file was announced; `upload` is missing where the server holds its bytes already."""

    file_id: UUID
    task_id: UUID
    status: str
    generation: int
    upload: PresignedPost | None = None
    expires_at: datetime | None = None
    duplicate_of: str | None = None


class CollectionInfo(Model):
    """A collection: `files` counts its files by stage."""

    id: UUID
    name: str
    status: str
    role: Role
    owner_id: UUID
    embedding_model: str
    dedicated: bool
    version: int
    files: dict[str, int]
    storage_bytes: int
    description: str | None = None
    metadata: dict[str, Any] = {}
    expires_after_days: int | None = None
    search_defaults: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime


class Member(Model):
    """A user with access to a collection."""

    user_id: UUID
    name: str
    role: Role


class Span(Model):
    """Characters of an answer, from `start` up to `end`."""

    start: int
    end: int


class PageBox(Model):
    """A rectangle on a page as it is shown, in fractions of its width and height from its top left corner."""

    page: int
    x0: float
    y0: float
    x1: float
    y1: float


class Citation(Model):
    """A passage that supports the answer where it is marked [`mark`]; checked by the server.

    `boxes` are where the excerpt stands on the page of a PDF, one for each stretch of a line, as far as that is known.
    """

    mark: int
    document_id: UUID
    title: str
    excerpt: str
    page_number: int
    relevance_score: float
    chunk_id: UUID
    url: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    answer_spans: tuple[Span, ...] = ()
    boxes: tuple[PageBox, ...] = ()


class NearestPassage(Model):
    """A passage that is near the question, offered where nothing answers it."""

    document_id: UUID
    title: str
    excerpt: str
    page_number: int
    relevance_score: float
    chunk_id: UUID
    url: str | None = None
    boxes: tuple[PageBox, ...] = ()


class PassageMetadata(Model):
    """Where a passage stands in its document."""

    source: str
    page_number: int
    chunk_number: int
    start_index: int
    end_index: int
    table_index: int | None = None
    url: str | None = None
    author: str | None = None
    attributes: dict[str, Any] = {}


class Passage(Model):
    """A part of a document."""

    chunk_id: UUID
    text: str
    document_id: UUID
    metadata: PassageMetadata
    score: float
    url: str | None = None
    text_score: float | None = None
    fused_score: float | None = None


class Neighbor(Model):
    """A chunk beside a passage in its document, which joined it within `context_tokens`."""

    chunk_id: UUID
    text: str
    page_number: int
    chunk_number: int
    start_index: int
    end_index: int
    url: str
    flags: tuple[str, ...] = ()


class Result(Model):
    """A passage that was found, with its final score and, where asked for, its neighbours."""

    chunk: Passage
    score: float
    flags: tuple[str, ...] = ()
    neighbors: tuple[Neighbor, ...] = ()


class Document(Model):
    """A document that passages were found in."""

    document_id: UUID
    document_name: str
    total_chunks: int
    url: str | None = None
    title: str | None = None
    author: str | None = None
    total_pages: int | None = None
    attributes: dict[str, Any] = {}


class AnswerMetadata(Model):
    """How an answer came about; `outcome` is `answered`, `not_found` or `unverified`."""

    generator: str | None = None
    found: bool | None = None
    outcome: str | None = None
    answer_kind: str | None = None
    cached: bool = False
    reranked: bool = False
    degraded: tuple[str, ...] = ()
    complete: bool = True
    cut_short: bool = False
    tokens_used: int = 0
    stage_seconds: dict[str, float] = {}


class Answer(Model):
    """An answer with its citations, and the passages that it was given from.

    `answer` is None where only passages were asked for.
    """

    answer: str | None = None
    citations: tuple[Citation, ...] = ()
    documents: tuple[Document, ...] = ()
    query_results: tuple[Result, ...] = ()
    nearest: tuple[NearestPassage, ...] = ()
    rewritten_query: str | None = None
    execution_time: float
    metadata: AnswerMetadata
    token_warning: str | None = None
    structured_answer: dict[str, Any] | None = None
    cot_output: dict[str, Any] | None = None


class ConversationInfo(Model):
    """A conversation, private to its user."""

    id: UUID
    title: str
    collection_id: UUID | None = None
    metadata: dict[str, Any] = {}
    archived: bool = False
    message_count: int = 0
    created_at: datetime
    updated_at: datetime


class Message(Model):
    """A question or an answer of a conversation."""

    id: UUID
    conversation_id: UUID
    role: str
    content: str
    citations: tuple[Citation, ...] = ()
    rewritten_query: str | None = None
    created_at: datetime


class ConversationAnswer(Model):
    """The answer to a question of a conversation."""

    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    search: Answer


class DeletionRequested(Model):
    """A deletion has begun; its receipt has this id."""

    id: UUID
    deletion_id: UUID


class Deletion(Model):
    """The receipt of a deletion; `proof` is there once nothing was found to be left."""

    id: UUID
    kind: str
    target_id: UUID
    name: str
    state: str
    requested_at: datetime
    completed_at: datetime | None = None
    proof: dict[str, Any] | None = None


class Named(Model):
    """Who or what, by id and name."""

    id: UUID
    name: str


class Quotas(Model):
    """The limits of a user; None means none."""

    collections: int | None = None
    files: int | None = None
    storage_bytes: int | None = None
    tokens_per_day: int | None = None


class Usage(Model):
    """What a user has used in this period, which ends at `resets_at`."""

    period: date
    resets_at: datetime
    collections: int
    storage_bytes: int
    tokens_used: int
    tokens_reserved: int
    quotas: Quotas


class Caller(Model):
    """Who the credential belongs to, and what it allows."""

    user: Named
    tenant: Named
    roles: dict[str, int]
    scopes: tuple[str, ...]
    quotas: Quotas
    usage: Usage


class Part(Model):
    """A dependency of the server, and how it answered."""

    name: str
    status: str
    latency_ms: float


class Worker(Model):
    """Whether a worker of an event function was seen at work lately."""

    function: str
    status: str
    seen_seconds_ago: float | None = None


class Answers(Model):
    """What writes answers: `extractive`, or a kind of provider with its model."""

    generator: str
    model: str | None = None


class Health(Model):
    """How the server and each part of it is; `status` is `ok` or `down`."""

    status: str
    version: str
    dependencies: tuple[Part, ...] | None = None
    workers: tuple[Worker, ...] | None = None
    answers: Answers | None = None
