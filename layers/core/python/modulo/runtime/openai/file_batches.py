"""Batches of files of vector stores."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from modulo.domain.collections.collection import Chunking
from modulo.domain.errors import InvalidRequest
from modulo.domain.files.file_batch import MAX_BATCH, BatchEntry, BatchFile, EntryState, FileBatch
from modulo.domain.request_model import RequestModel
from modulo.runtime.openai.attributes import store_attributes
from modulo.runtime.openai.store_files import (
    AttachFile,
    Status,
    StoreAttributes,
    StoreFile,
    last_error,
    require_chunking,
)
from modulo.runtime.openai.vector_stores import ChunkingStrategy, FileCounts


class CreateFileBatch(RequestModel):
    """Files to attach together: `file_ids`, which share attributes, or `files`, where each has its own."""

    file_ids: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=MAX_BATCH)
    files: tuple[AttachFile, ...] | None = Field(default=None, min_length=1, max_length=MAX_BATCH)
    attributes: StoreAttributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    def batch(self, chunking: Chunking) -> tuple[BatchFile, ...]:
        """The files to attach to a collection of that chunking.

        Raises:
            InvalidRequest: chunks of other sizes are asked for, a file is named twice, or fields contradict each other.
        """
        self._require_consistent()
        require_chunking(self.chunking_strategy, chunking)
        for file in self.files or ():
            require_chunking(file.chunking_strategy, chunking)
        if self.files is not None:
            return tuple(BatchFile(file.file_id, file.attributes) for file in self.files)
        return tuple(BatchFile(file_id, self.attributes) for file_id in self.file_ids or ())

    def _require_consistent(self) -> None:
        if (self.file_ids is None) == (self.files is None):
            raise InvalidRequest.field("file_ids", "must be given, or files in place of them")
        if self.files is not None and (self.attributes is not None or self.chunking_strategy is not None):
            field = "attributes" if self.attributes is not None else "chunking_strategy"
            raise InvalidRequest.field(field, "goes with file_ids; each of files has its own")
        ids = self.file_ids or tuple(file.file_id for file in self.files or ())
        if len(set(ids)) < len(ids):
            raise InvalidRequest.field("file_ids" if self.file_ids else "files", "must name each file once")


class VectorStoreFileBatch(BaseModel):
    """A batch of files, counted by what became of them."""

    id: UUID
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: UUID
    status: Status
    file_counts: FileCounts


def batch_answer(batch: FileBatch) -> VectorStoreFileBatch:
    """A batch in the shape of the door."""
    counts = batch.counts
    return VectorStoreFileBatch(
        id=batch.id,
        created_at=int(batch.created_at.timestamp()),
        vector_store_id=batch.collection_id,
        status=batch.state.value,
        file_counts=FileCounts(**{state.value: counts[state] for state in EntryState}, total=counts.total()),
    )


def entry_answer(entry: BatchEntry, collection_id: UUID) -> StoreFile:
    """A file of a batch in the shape of the door."""
    return StoreFile(
        id=entry.file_id,
        created_at=int(entry.created_at.timestamp()),
        vector_store_id=collection_id,
        usage_bytes=entry.size_bytes,
        status=entry.state.value,
        attributes=store_attributes(entry.attributes),
        last_error=last_error(entry.problem) if entry.problem else None,
    )


def entry_state(status: Status | None) -> EntryState | None:
    """The state of entries that are wanted; None for any."""
    return EntryState(status) if status is not None else None
