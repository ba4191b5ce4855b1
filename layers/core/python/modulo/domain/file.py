"""Files, their generations and the stages these pass through."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field, computed_field

from modulo.domain.dates import iso
from modulo.domain.errors import InternalError, ModuloError
from modulo.domain.value import Value

LONGEST_SAYING = 1_000
"""How many characters are kept of each thing that a file says of itself."""
MOST_HEADINGS = 12
MOST_PAGES = 100
MOST_LEFT_OUT = 50
MOST_GENERATIONS = 2**31 - 1


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
        return self in UNFINISHED


WAITING = (Stage.awaiting_upload, Stage.queued)
WORKING = (Stage.parsing, Stage.embedding, Stage.indexing)
"""The stages in which somebody holds a generation's claim."""
UNFINISHED = WAITING + WORKING


def _clipped(said: object) -> object:
    return said[:LONGEST_SAYING] if isinstance(said, str) else said


def _dated(said: object) -> object:
    return iso(said) if isinstance(said, str) else said


_Saying = Annotated[str, BeforeValidator(_clipped)]
_Date = Annotated[str, BeforeValidator(_dated), BeforeValidator(_clipped)]


class OnDuplicate(StrEnum):
    """What to do with an upload of bytes that a file of the collection holds already.

    Answer with that file, have it take the upload's name as well, or make a new file or generation all the same.
    """

    existing = "existing"
    alias = "alias"
    new = "new"


class LeftOut(Value):
    """A file of an archive that was left out, and why."""

    path: _Saying
    code: str
    detail: _Saying


class DocumentInfo(Value):
    """What the file itself says of its document; what it does not say is null.

    Each text is cut after 1,000 characters; dates are in ISO 8601 where they can be read.
    """

    title: _Saying | None = None
    author: _Saying | None = None
    subject: _Saying | None = None
    keywords: _Saying | None = None
    creator: _Saying | None = None
    producer: _Saying | None = None
    creation_date: _Date | None = None
    mod_date: _Date | None = None
    total_pages: int | None = None
    language: str | None = Field(default=None, description="ISO 639-1 code, null where it is not plain")
    headings: tuple[_Saying, ...] | None = Field(default=None, description="the first of its uppermost headings")
    scanned_pages: tuple[int, ...] | None = Field(
        default=None, description="the first 100 pages that are pictures without text, which no search finds"
    )
    recognised_pages: tuple[int, ...] | None = Field(
        default=None,
        description="the first 100 pages that are pictures whose text was recognised; some of it may be misread",
    )
    shortened_pages: tuple[int, ...] | None = Field(
        default=None,
        description="the first 100 pages with a passage of which the embedding model took only the beginning",
    )

    files: int | None = Field(default=None, description="into how many files an archive was expanded")
    left_out: tuple[LeftOut, ...] | None = Field(
        default=None, description="the first 50 files of an archive that it was not expanded into"
    )

    @classmethod
    def together(cls, parts: Sequence["DocumentInfo"]) -> "DocumentInfo":
        """What the parts of one document say: as the first, with the headings and named pages of all."""
        headings = list(dict.fromkeys(heading for part in parts for heading in part.headings or ()))
        named = {
            name: tuple(page for part in parts for page in getattr(part, name) or ())[:MOST_PAGES] or None
            for name in ("scanned_pages", "recognised_pages", "shortened_pages")
        }
        languages = Counter(part.language for part in parts if part.language)
        return parts[0].model_copy(
            update={
                "language": languages.most_common(1)[0][0] if languages else None,
                "headings": tuple(headings[:MOST_HEADINGS]) or None,
                **named,
            }
        )


class FileProblem(Value):
    """Why a file failed, for its uploader; `retryable` says whether trying again can help."""

    code: str = Field(description="which kind of problem it is, as infra/problems.md lists them")
    detail: str
    retryable: bool

    @classmethod
    def of(cls, error: Exception) -> "FileProblem":
        """What an uploader is told of an error; of one that is none of ours only that there was one."""
        known = error if isinstance(error, ModuloError) else InternalError()
        return cls(code=known.code(), detail=known.detail, retryable=known.retryable)


class File(Value):
    """A file as its users see it; stage, size and progress are those of its newest generation."""

    id: UUID
    collection_id: UUID
    name: str
    aliases: tuple[str, ...] = Field(default=(), description="its other names, under which the same bytes came")
    stage: Stage
    generation: int
    live_generation: int | None = None
    source: int = Field(description="the generation that was uploaded; others embed its bytes anew")
    live_source: int | None = Field(default=None, description="the same of the live generation")
    media_type: str
    size_bytes: int
    checksum_sha256: str | None = None
    source_url: str | None = Field(default=None, description="where its bytes were fetched")
    checked_at: datetime | None = Field(default=None, description="when these bytes were last found there unchanged")
    pages_done: int = 0
    pages_total: int | None = None
    started_at: datetime | None = Field(default=None, description="when its ingestion began")
    chunk_count: int | None = None
    problem: FileProblem | None = None
    document: DocumentInfo = DocumentInfo()
    created_by: UUID
    created_at: datetime
    updated_at: datetime

    @computed_field(description="when it will be ready, if it goes on as so far; null until that can be told")
    def estimated_ready_at(self) -> datetime | None:
        """The last progress, and as long again for each page that is left as one took until then."""
        if self.started_at is None or self.stage not in WORKING or not self.pages_done or not self.pages_total:
            return None
        left = max(0, self.pages_total - self.pages_done)
        return self.updated_at + (self.updated_at - self.started_at) * left / self.pages_done

    def ref(self, tenant_id: UUID) -> "FileRef":
        """The newest generation, named in full."""
        return FileRef(tenant_id, self.collection_id, self.id, self.generation, self.source)

    def live_ref(self, tenant_id: UUID) -> "FileRef":
        """The live generation, or the newest where none is live yet."""
        if self.live_generation is None:
            return self.ref(tenant_id)
        return FileRef(tenant_id, self.collection_id, self.id, self.live_generation, self.live_source)


class Duplicate(File):
    """The file that answers an upload, for which nothing was reserved: it holds the same bytes, or is about to."""


@dataclass(frozen=True, slots=True)
class FileRef:
    """One generation of one file, named in full.

    One that embeds the bytes of another anew tells that one's number as its `source`.
    """

    tenant_id: UUID
    collection_id: UUID
    file_id: UUID
    generation: int
    source: int | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The object that holds its bytes; file names never become part of a key."""
        return self.object_prefix(self.source or self.generation) + "content"

    @property
    def prefix(self) -> str:
        """What the keys of all of the file's generations begin with."""
        return f"tenants/{self.tenant_id}/collections/{self.collection_id}/files/{self.file_id}/"

    def object_prefix(self, source: int) -> str:
        """What the keys of all objects begin with that were uploaded as that generation."""
        return f"{self.prefix}{source}/"

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
                return ref if ref.key == key and 1 <= ref.generation <= MOST_GENERATIONS else None
        return None
