"""Collections: what they are made of and how their status follows from their files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from modulo.domain.file import Stage
from modulo.domain.identity import Role
from modulo.domain.value import Value


class Metric(StrEnum):
    """How two vectors are compared."""

    cosine = "COSINE"
    inner_product = "IP"
    euclidean = "L2"


class EmbeddingModel(Value):
    """A model that collections can be embedded with."""

    name: str
    dimensions: int = Field(ge=1, le=32_768)
    metric: Metric = Metric.cosine
    max_tokens: int = Field(default=512, ge=16, description="longest input the model reads")
    query_prefix: str = ""


class Chunking(Value):
    """How documents are cut: sizes in tokens, estimated as `domain/tokens.py` says."""

    max_tokens: int = Field(default=200, ge=32, le=2_000)
    overlap_tokens: int = Field(default=40, ge=0, le=500)

    @model_validator(mode="after")
    def _overlap_is_smaller(self) -> "Chunking":
        if self.overlap_tokens * 2 > self.max_tokens:
            raise ValueError("overlap_tokens must be at most half of max_tokens")
        return self


CollectionName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class NewCollection(Value):
    """A collection to create; another embedding model takes embedding it anew."""

    name: CollectionName
    embedding_model: str | None = Field(default=None, description="a configured model; the default one if null")
    chunking: Chunking = Chunking()
    dedicated: bool = Field(default=False, description="a vector collection of its own instead of the shared one")


class CollectionChange(Value):
    """What to change; what is null stays. New chunking applies to files uploaded from now on."""

    name: CollectionName | None = None
    chunking: Chunking | None = None


class CollectionStatus(StrEnum):
    """What RAG Modulo's clients poll for."""

    created = "created"
    processing = "processing"
    completed = "completed"
    error = "error"


class Collection(Value):
    """A set of files that is searched together; `role` is the caller's."""

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
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Space:
    """Where a collection's vectors live: all that the vector store needs to know of it."""

    tenant_id: UUID
    collection_id: UUID
    owner_id: UUID
    model: EmbeddingModel
    dedicated: bool
    index: int = 1
    """Which of the collection's indexes it is: each re-embedding makes the next."""

    @property
    def name(self) -> str:
        """The vector store's collection: shared by model, or the user's own one, anew for each index."""
        if self.dedicated:
            own = f"user_{self.owner_id.hex}_collection_{self.collection_id.hex}"
            return own if self.index == 1 else f"{own}_{self.index}"
        slug = "".join(c if c.isalnum() and c.isascii() else "_" for c in self.model.name)
        return f"chunks_{slug}_{self.model.dimensions}"


def status_of(files: Mapping[Stage, int]) -> CollectionStatus:
    """A collection's status from the number of its files in each stage; a bad file never spoils it."""
    if any(files.get(stage) for stage in Stage if stage.unfinished):
        return CollectionStatus.processing
    if files.get(Stage.ready):
        return CollectionStatus.completed
    if files.get(Stage.failed):
        return CollectionStatus.error
    return CollectionStatus.created
