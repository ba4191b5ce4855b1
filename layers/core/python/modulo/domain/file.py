"""Files, their generations and the stages these pass through."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from modulo.domain.value import Value


class Stage(StrEnum):
    """How far the newest generation of a file has come."""

    awaiting_upload = "awaiting_upload"
    queued = "queued"
    parsing = "parsing"
    embedding = "embedding"
    indexing = "indexing"
    ready = "ready"
    failed = "failed"
    deleting = "deleting"
    deleted = "deleted"

    @property
    def unfinished(self) -> bool:
        """Whether work on it is still to come; each such file has a deadline."""
        return self in _UNFINISHED


_UNFINISHED = frozenset({Stage.awaiting_upload, Stage.queued, Stage.parsing, Stage.embedding, Stage.indexing})


class DocumentInfo(Value):
    """What the file itself says of its document; what it does not say is null."""

    title: str | None = None
    author: str | None = None
    subject: str | None = None
    keywords: str | None = None
    creator: str | None = None
    producer: str | None = None
    creation_date: str | None = None
    mod_date: str | None = None
    total_pages: int | None = None


class FileProblem(Value):
    """Why a file failed, for its uploader; `retryable` says whether trying again can help."""

    code: str
    detail: str
    retryable: bool


class File(Value):
    """A file as its users see it; stage, size and progress are those of its newest generation."""

    id: UUID
    collection_id: UUID
    name: str
    stage: Stage
    generation: int
    live_generation: int | None = None
    media_type: str
    size_bytes: int
    checksum_sha256: str | None = None
    pages_done: int = 0
    pages_total: int | None = None
    chunk_count: int | None = None
    problem: FileProblem | None = None
    document: DocumentInfo = DocumentInfo()
    created_by: UUID
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FileRef:
    """One generation of one file, named in full."""

    tenant_id: UUID
    collection_id: UUID
    file_id: UUID
    generation: int

    @property
    def key(self) -> str:
        """The object that holds its bytes; file names never become part of a key."""
        return f"{self.generation_prefix}content"

    @property
    def prefix(self) -> str:
        """What the keys of all of the file's generations begin with."""
        return f"tenants/{self.tenant_id}/collections/{self.collection_id}/files/{self.file_id}/"

    @property
    def generation_prefix(self) -> str:
        """What the keys of all objects of this generation begin with."""
        return f"{self.prefix}{self.generation}/"

    @property
    def task_id(self) -> UUID:
        """The id under which a client may follow this generation's ingestion."""
        return uuid5(self.file_id, str(self.generation))

    @classmethod
    def of_key(cls, key: str) -> "FileRef | None":
        """The generation whose bytes an object holds, or None for any other object."""
        match key.split("/"):
            case ["tenants", tenant, "collections", collection, "files", file, generation, "content"]:
                try:
                    ref = cls(UUID(tenant), UUID(collection), UUID(file), int(generation))
                except ValueError:
                    return None
                return ref if ref.key == key else None
        return None
