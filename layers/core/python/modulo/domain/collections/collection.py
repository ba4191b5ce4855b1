"""Collections, their embedding model and chunking, and their status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, computed_field, model_validator

from modulo.domain.files.file import Stage
from modulo.domain.labels import Labels
from modulo.domain.model import ONE_LINE, STORABLE, FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.retrieval.search_defaults import NO_DEFAULTS, SearchDefaults
from modulo.domain.tenancy.identity import Role
from modulo.domain.text.unicode_text import visible_name

MAX_CHUNK_TOKENS: Final = 2_000
MAX_OVERLAP_TOKENS: Final = 500


class Metric(StrEnum):
    """How two vectors are compared."""

    cosine = "COSINE"
    inner_product = "IP"
    euclidean = "L2"


ANALYSIS = 3
"""The version of what an index holds beside its vectors: raised where it holds more, or where `lexical` makes other
terms of a text. A re-embedding brings a collection up to it."""


class EmbeddingModel(FrozenModel):
    """An embedding model that collections can use."""

    name: str
    dimensions: int = Field(ge=1, le=32_768)
    metric: Metric = Metric.cosine
    max_tokens: int = Field(default=512, ge=16, description="longest input the model reads")
    query_prefix: str = ""
    analysis: int = Field(
        default=1,
        ge=1,
        description="how an index analyses words beside its vectors, set when it is made: 1 is the vector store's way; "
        "from 3 on it holds where texts stand on their pages",
    )


class Chunking(RequestModel):
    """How documents are chunked: sizes in tokens, as `domain/text/tokens.py` estimates them."""

    max_tokens: int = Field(default=200, ge=32, le=MAX_CHUNK_TOKENS)
    overlap_tokens: int = Field(default=40, ge=0, le=MAX_OVERLAP_TOKENS)

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> "Chunking":
        if self.overlap_tokens * 2 > self.max_tokens:
            raise ValueError("overlap_tokens must be at most half of max_tokens")
        return self


CollectionName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=ONE_LINE),
    AfterValidator(visible_name),
]
Description = Annotated[str, StringConstraints(max_length=512, pattern=STORABLE)]
EXPIRES_AFTER_DAYS: Any = Field(
    default=None, ge=0, le=365, description="deleted after so many days without use; 0 for never"
)


class NewCollection(RequestModel):
    """A collection to create; only a re-embedding changes its embedding model later."""

    name: CollectionName
    embedding_model: str | None = Field(default=None, description="a configured model; the default one if null")
    chunking: Chunking = Chunking()
    dedicated: bool = Field(default=False, description="a vector collection of its own instead of the shared one")
    description: Description | None = None
    metadata: Labels = Field(default_factory=dict)
    expires_after_days: int | None = EXPIRES_AFTER_DAYS
    search_defaults: SearchDefaults = Field(default=NO_DEFAULTS, description="how it is searched unless requests say")


class CollectionChange(RequestModel):
    """What to change; null fields stay. New chunking applies to files uploaded from now on.

    `search_defaults` replace all of those that were.
    """

    name: CollectionName | None = None
    chunking: Chunking | None = None
    description: Description | None = None
    metadata: Labels | None = None
    expires_after_days: int | None = EXPIRES_AFTER_DAYS
    search_defaults: SearchDefaults | None = None


class CollectionStatus(StrEnum):
    """The status that RAG Modulo's clients poll."""

    created = "created"
    processing = "processing"
    completed = "completed"
    error = "error"


class Collection(FrozenModel):
    """A set of files that are searched together; `role` is the caller's."""

    id: UUID
    name: str
    status: CollectionStatus
    role: Role
    owner_id: UUID
    embedding_model: str
    chunking: Chunking
    dedicated: bool
    version: int
    files: Mapping[Stage, int]
    storage_bytes: int
    description: str | None = None
    metadata: Mapping[str, str] = Field(default_factory=dict)
    expires_after_days: int | None = None
    search_defaults: SearchDefaults = NO_DEFAULTS
    last_active_at: datetime | None = Field(default=None, description="last use that put the expiry off, to the hour")
    created_at: datetime
    updated_at: datetime

    @computed_field(  # type: ignore[prop-decorator]
        description="when it is deleted unless it is used; null where it does not expire"
    )
    @property
    def expires_at(self) -> datetime | None:
        """The last use, and the days that may pass without another."""
        if self.expires_after_days is None:
            return None
        return (self.last_active_at or self.created_at) + timedelta(days=self.expires_after_days)


@dataclass(frozen=True, slots=True)
class Space:
    """Where a collection's vectors are stored: all that the vector store needs to know of it."""

    tenant_id: UUID
    collection_id: UUID
    owner_id: UUID
    model: EmbeddingModel
    dedicated: bool
    index: int = 1
    """Number of the index; each re-embedding makes the next."""

    @property
    def name(self) -> str:
        """The name of the vector store's collection: shared by model or, where dedicated, one for each index."""
        if self.dedicated:
            own = f"user_{self.owner_id.hex}_collection_{self.collection_id.hex}"
            return own if self.index == 1 else f"{own}_{self.index}"
        slug = "".join(c if c.isalnum() and c.isascii() else "_" for c in self.model.name)
        analysed = f"_a{self.model.analysis}" if self.model.analysis > 1 else ""
        return f"chunks_{slug}_{self.model.dimensions}{analysed}"


def status_of(files: Mapping[Stage, int]) -> CollectionStatus:
    """A collection's status from the number of its files in each stage; one failed file does not make it an error."""
    if any(files.get(stage) for stage in Stage if stage.unfinished):
        return CollectionStatus.processing
    if files.get(Stage.ready):
        return CollectionStatus.completed
    if files.get(Stage.failed):
        return CollectionStatus.error
    return CollectionStatus.created


@dataclass(frozen=True, slots=True)
class CollectionDraft:
    """A collection about to be created."""

    id: UUID
    name: str
    model: EmbeddingModel
    chunking: Chunking
    dedicated: bool
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    expires_after_days: int | None = None
    search_defaults: SearchDefaults = NO_DEFAULTS


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """As little of a collection as it takes to choose it."""

    id: UUID
    name: str
    created_at: datetime
