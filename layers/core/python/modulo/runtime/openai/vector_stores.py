"""Vector stores of `/v1`: collections."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, Field

from modulo.domain.collections.collection import (
    MAX_CHUNK_TOKENS,
    MAX_OVERLAP_TOKENS,
    Chunking,
    Collection,
    CollectionChange,
    CollectionName,
    Description,
    NewCollection,
)
from modulo.domain.errors import InvalidRequest
from modulo.domain.files.file import Stage
from modulo.domain.labels import Labels
from modulo.domain.request_model import RequestModel

MAX_FILES: Final = 100
"""How many files a vector store may be created with; a batch takes more."""


class ExpiresAfter(RequestModel):
    """When a vector store is deleted that nobody uses."""

    anchor: Literal["last_active_at"]
    days: int = Field(ge=1, le=365)


class StaticChunking(RequestModel):
    """Sizes in tokens, as Modulo estimates them."""

    max_chunk_size_tokens: int = Field(default=800, ge=100, le=4_096)
    chunk_overlap_tokens: int = Field(default=400, ge=0, le=2_048)


class Static(RequestModel):
    """Chunks of these sizes."""

    type: Literal["static"]
    static: StaticChunking


class Auto(RequestModel):
    """Chunks of the sizes that suit the embedding model."""

    type: Literal["auto"]


ChunkingStrategy = Annotated[Static | Auto, Field(discriminator="type")]


class CreateVectorStore(RequestModel):
    """A vector store to create; without a name it is named by its id."""

    name: CollectionName | Literal[""] | None = None
    description: Description | None = None
    file_ids: tuple[UUID, ...] = Field(default=(), max_length=MAX_FILES)
    metadata: Labels | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None

    def collection(self) -> NewCollection:
        """The collection to create."""
        fields: dict[str, Any] = {"name": self.name or f"vector store {uuid4().hex[:12]}"}
        if isinstance(self.chunking_strategy, Static):
            fields["chunking"] = chunking_of(self.chunking_strategy)
        return NewCollection(
            **fields,
            description=self.description,
            metadata=self.metadata or {},
            expires_after_days=self.expires_after.days if self.expires_after else None,
        )


class UpdateVectorStore(RequestModel):
    """What to change; `expires_after` and `metadata` that are null are taken away."""

    name: CollectionName | None = None
    metadata: Labels | None = None
    expires_after: ExpiresAfter | None = None

    def change(self) -> CollectionChange:
        """The change of the collection."""
        fields: dict[str, Any] = {"name": self.name}
        if "metadata" in self.model_fields_set:
            fields["metadata"] = self.metadata or {}
        if "expires_after" in self.model_fields_set:
            fields["expires_after_days"] = self.expires_after.days if self.expires_after else 0
        return CollectionChange(**fields)


class FileCounts(BaseModel):
    """Files by status."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    total: int = 0


class VectorStore(BaseModel):
    """A collection; `usage_bytes` are those of its files as they were uploaded."""

    id: UUID
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    description: str | None
    usage_bytes: int
    file_counts: FileCounts
    status: Literal["expired", "in_progress", "completed"]
    expires_after: ExpiresAfter | None
    expires_at: int | None
    last_active_at: int
    metadata: dict[str, str]


class VectorStoreDeleted(BaseModel):
    """A vector store that is gone."""

    id: UUID
    object: Literal["vector_store.deleted"] = "vector_store.deleted"
    deleted: Literal[True] = True


def chunking_of(strategy: Static) -> Chunking:
    """The chunking of a collection.

    Raises:
        InvalidRequest: the overlap is more than half.
    """
    sizes = strategy.static
    if sizes.chunk_overlap_tokens * 2 > sizes.max_chunk_size_tokens:
        field = "chunking_strategy.static.chunk_overlap_tokens"
        raise InvalidRequest.field(field, "must be at most half of max_chunk_size_tokens")
    most, overlap = sizes.max_chunk_size_tokens, sizes.chunk_overlap_tokens
    if most > MAX_CHUNK_TOKENS or overlap > MAX_OVERLAP_TOKENS:
        message = f"must be at most {MAX_CHUNK_TOKENS}, with {MAX_OVERLAP_TOKENS} overlapping"
        raise InvalidRequest.field("chunking_strategy.static.max_chunk_size_tokens", message)
    return Chunking(max_tokens=most, overlap_tokens=overlap)


def vector_store_answer(collection: Collection, now: datetime) -> VectorStore:
    """A collection in the shape of the door."""
    counts = file_counts(collection.files)
    expires_at, used = collection.expires_at, collection.last_active_at or collection.created_at
    expired = expires_at is not None and expires_at <= now
    days = collection.expires_after_days
    return VectorStore(
        id=collection.id,
        created_at=int(collection.created_at.timestamp()),
        name=collection.name,
        description=collection.description,
        usage_bytes=collection.storage_bytes,
        file_counts=counts,
        status="expired" if expired else "in_progress" if counts.in_progress else "completed",
        expires_after=ExpiresAfter(anchor="last_active_at", days=days) if days else None,
        expires_at=int(expires_at.timestamp()) if expires_at else None,
        last_active_at=int(used.timestamp()),
        metadata=dict(collection.metadata),
    )


def file_counts(files: Mapping[Stage, int]) -> FileCounts:
    """Numbers of files by stage, by status."""
    waiting = sum(number for stage, number in files.items() if stage.unfinished)
    ready, failed = files.get(Stage.ready, 0), files.get(Stage.failed, 0)
    return FileCounts(in_progress=waiting, completed=ready, failed=failed, total=waiting + ready + failed)
