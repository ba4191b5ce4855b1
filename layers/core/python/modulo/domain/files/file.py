"""Files, their generations, and the stages of a generation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BeforeValidator, Field, computed_field

from modulo.domain.citable_url import URL_DESCRIPTION, document_url
from modulo.domain.errors import InternalError, ModuloError
from modulo.domain.files.attributes import Attributes, AttributeValue
from modulo.domain.files.reading import Reading, ReadingWarning, merged_warnings
from modulo.domain.model import FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.text.dates import to_iso

MAX_PROPERTY_CHARACTERS = 1_000
"""How much is stored of each document property."""
MAX_HEADINGS = 12
MAX_LISTED_PAGES = 100
MAX_LISTED_LEFT_OUT = 50
MAX_GENERATIONS = 2**31 - 1


class Stage(StrEnum):
    """The stage of a file's newest generation.

    `fetching` is `awaiting_upload` of a file that was added by its URL.
    """

    awaiting_upload = "awaiting_upload"
    fetching = "fetching"
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
        """Whether work on it remains; each such file has a deadline."""
        return self in UNFINISHED or self is Stage.fetching

    @property
    def awaits_bytes(self) -> bool:
        """Whether its bytes have not come yet, by an upload or from its URL."""
        return self in (Stage.awaiting_upload, Stage.fetching)


WAITING = (Stage.awaiting_upload, Stage.queued)
WORKING = (Stage.parsing, Stage.embedding, Stage.indexing)
"""The stages in which a worker holds the generation's claim."""
UNFINISHED = WAITING + WORKING
STORED = tuple(stage for stage in Stage if stage is not Stage.fetching)
"""The stages that are stored; `fetching` is derived from `awaiting_upload` and the URL."""


def _clipped(value: object) -> object:
    return value[:MAX_PROPERTY_CHARACTERS] if isinstance(value, str) else value


def _dated(value: object) -> object:
    return to_iso(value) if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_clipped)]
_Date = Annotated[str, BeforeValidator(_dated), BeforeValidator(_clipped)]


class OnDuplicate(StrEnum):
    """What to do with an upload of bytes that a file of the collection already holds.

    `existing` returns that file, `alias` also adds the upload's name to it, `new` makes a new file or generation.
    """

    existing = "existing"
    alias = "alias"
    new = "new"


class LeftOut(FrozenModel):
    """A file of an archive that was left out, and why."""

    path: _Text
    code: str
    detail: _Text


class DocumentInfo(FrozenModel):
    """The properties that the file itself states of its document; missing ones are absent.

    Each text is cut after 1,000 characters; dates are in ISO 8601 where they can be read.
    """

    title: _Text | None = None
    author: _Text | None = None
    subject: _Text | None = None
    keywords: _Text | None = None
    creator: _Text | None = None
    producer: _Text | None = None
    creation_date: _Date | None = None
    mod_date: _Date | None = None
    total_pages: int | None = None
    language: str | None = Field(default=None, description="ISO 639-1 code; absent where it cannot be determined")
    headings: tuple[_Text, ...] | None = Field(default=None, description="its first top-level headings")
    scanned_pages: tuple[int, ...] | None = Field(
        default=None, description="the first 100 pages that are pictures without text; searches do not find them"
    )
    recognised_pages: tuple[int, ...] | None = Field(
        default=None,
        description="the first 100 pages that are pictures whose text was recognised; some of it may be misread",
    )
    shortened_pages: tuple[int, ...] | None = Field(
        default=None,
        description="the first 100 pages with a passage of which only the beginning was embedded",
    )

    reading: Reading | None = Field(default=None, description="signs of how well the file could be read")
    warnings: tuple[ReadingWarning, ...] | None = Field(
        default=None, description="what of the file searches may not find, on which pages, why, and what to do"
    )

    files: int | None = Field(default=None, description="how many files an archive was expanded into")
    left_out: tuple[LeftOut, ...] | None = Field(
        default=None, description="the first 50 files of an archive that were left out"
    )

    @classmethod
    def together(cls, parts: Sequence["DocumentInfo"]) -> "DocumentInfo":
        """The properties of a divided document: those of its first part, with the headings and listed pages of all."""
        headings = list(dict.fromkeys(heading for part in parts for heading in part.headings or ()))
        named = {
            name: tuple(page for part in parts for page in getattr(part, name) or ())[:MAX_LISTED_PAGES] or None
            for name in ("scanned_pages", "recognised_pages", "shortened_pages")
        }
        languages = Counter(part.language for part in parts if part.language)
        return parts[0].model_copy(
            update={
                "language": languages.most_common(1)[0][0] if languages else None,
                "headings": tuple(headings[:MAX_HEADINGS]) or None,
                "reading": Reading.together(part.reading for part in parts if part.reading),
                "warnings": merged_warnings(warning for part in parts for warning in part.warnings or ()) or None,
                **named,
            }
        )


class FileProblem(FrozenModel):
    """Why a file failed, for its uploader; `retryable` says whether trying again can help."""

    code: str = Field(description="the kind of problem, as listed in infra/problems.md")
    detail: str
    retryable: bool

    @classmethod
    def of(cls, error: Exception) -> "FileProblem":
        """The problem for the uploader; an unexpected error shows only as an internal error."""
        known = error if isinstance(error, ModuloError) else InternalError()
        return cls(code=known.code(), detail=known.detail, retryable=known.retryable)


class File(FrozenModel):
    """A file as its users see it; stage, size and progress are those of its newest generation."""

    id: UUID
    collection_id: UUID
    name: str
    aliases: tuple[str, ...] = Field(default=(), description="other names under which the same bytes were uploaded")
    stage: Stage
    generation: int
    live_generation: int | None = None
    source: int = Field(description="the generation that was uploaded; others re-embed its bytes")
    live_source: int | None = Field(default=None, description="the same of the live generation")
    media_type: str
    size_bytes: int
    checksum_sha256: str | None = None
    source_url: str | None = Field(default=None, description="the URL that its bytes were fetched from")
    origin_id: UUID | None = Field(default=None, description="the user file that it is a copy of")
    checked_at: datetime | None = Field(default=None, description="when the URL last still held these bytes")
    pages_done: int = 0
    pages_total: int | None = None
    started_at: datetime | None = Field(default=None, description="when its ingestion began")
    chunk_count: int | None = None
    problem: FileProblem | None = Field(
        default=None, description="why it failed; while it is fetched, why the last try failed"
    )
    next_attempt_at: datetime | None = Field(
        default=None, description="when its URL is tried again; absent while a try runs, and in every other stage"
    )
    document: DocumentInfo = DocumentInfo()
    attributes: Mapping[str, AttributeValue] = Field(default_factory=dict, description="what was said of it by users")
    created_by: UUID
    created_at: datetime
    updated_at: datetime

    @computed_field(description="when it will be ready, at the present pace; absent until that can be estimated")
    def estimated_ready_at(self) -> datetime | None:
        """The last progress, plus the average time of a page so far for each page that is left."""
        if self.started_at is None or self.stage not in WORKING or not self.pages_done or not self.pages_total:
            return None
        left = max(0, self.pages_total - self.pages_done)
        return self.updated_at + (self.updated_at - self.started_at) * left / self.pages_done

    @computed_field(description=URL_DESCRIPTION)  # type: ignore[prop-decorator]
    @property
    def url(self) -> str:
        """At which its bytes can be downloaded."""
        return document_url(self.collection_id, self.id)

    def ref(self, tenant_id: UUID) -> "FileRef":
        """The newest generation."""
        return FileRef(tenant_id, self.collection_id, self.id, self.generation, self.source)

    def live_ref(self, tenant_id: UUID) -> "FileRef":
        """The live generation, or the newest where none is live yet."""
        if self.live_generation is None:
            return self.ref(tenant_id)
        return FileRef(tenant_id, self.collection_id, self.id, self.live_generation, self.live_source)


class FileChange(RequestModel):
    """What to change of a file; null fields stay. It is not embedded anew."""

    attributes: Attributes | None = None


class Duplicate(File):
    """An existing file returned for an upload, which reserves nothing: it holds the same bytes, or is about to."""


def key_prefix(tenant_id: UUID, collection_id: UUID | None = None, file_id: UUID | None = None) -> str:
    """The key prefix of all objects of a tenant, of a collection or of a file."""
    parents = {"tenants": tenant_id, "collections": collection_id, "files": file_id}
    return "".join(f"{kind}/{found}/" for kind, found in parents.items() if found is not None)


@dataclass(frozen=True, slots=True)
class FileRef:
    """One generation of one file, identified in full.

    `source` is the generation whose bytes it re-embeds, where it does.
    """

    tenant_id: UUID
    collection_id: UUID
    file_id: UUID
    generation: int
    source: int | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """The key of the object that holds its bytes; file names never become part of a key."""
        return self.object_prefix(self.source or self.generation) + "content"

    @property
    def prefix(self) -> str:
        """The key prefix of all of the file's objects."""
        return key_prefix(self.tenant_id, self.collection_id, self.file_id)

    def object_prefix(self, source: int) -> str:
        """The key prefix of the objects of one uploaded generation."""
        return f"{self.prefix}{source}/"

    @property
    def task_id(self) -> UUID:
        """The id of this generation's ingestion, for clients."""
        return uuid5(self.file_id, str(self.generation))

    @classmethod
    def of_key(cls, key: str) -> "FileRef | None":
        """The generation whose bytes an object key names; None for any other key."""
        match key.split("/"):
            case ["tenants", tenant, "collections", collection, "files", file, generation, "content"]:
                try:
                    ref = cls(UUID(tenant), UUID(collection), UUID(file), int(generation))
                except ValueError:
                    return None
                return ref if ref.key == key and 1 <= ref.generation <= MAX_GENERATIONS else None
        return None
