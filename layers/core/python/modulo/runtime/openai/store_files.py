"""Files of vector stores: files of a collection, by the id of the file they are copies of."""

from collections.abc import Collection as Set
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from modulo.domain.collections.collection import Chunking
from modulo.domain.errors import InvalidRequest
from modulo.domain.files.attributes import KEYS, MAX_ATTRIBUTES, Attributes, Single
from modulo.domain.files.file import File, FileChange, FileProblem, Stage
from modulo.domain.request_model import RequestModel
from modulo.runtime.openai.attributes import store_attributes
from modulo.runtime.openai.vector_stores import ChunkingStrategy, Static, chunking_of

Status = Literal["in_progress", "completed", "cancelled", "failed"]
StatusFilter = Annotated[Status | None, Query(alias="filter", description="the files' status")]
UNSUPPORTED: Final = "unsupported-file"
FULL: Final = "quota-exceeded"
"""Nothing is wrong with the file."""


def _simple(value: Any) -> Any:
    if isinstance(value, Mapping) and any(isinstance(one, list | tuple) for one in value.values()):
        raise ValueError("values are texts, numbers or booleans here")
    return value


_Described = Annotated[
    Mapping[str, Single],
    Field(
        max_length=MAX_ATTRIBUTES,
        json_schema_extra={"propertyNames": KEYS},
        description="what you say of the file: up to 16 keys of at most 64 characters, each with a text of at most 512 "
        "characters, a number or a boolean; a text that is an ISO 8601 date is compared as one",
    ),
]
StoreAttributes = Annotated[Attributes, BeforeValidator(_simple, json_schema_input_type=_Described)]
"""Attributes as OpenAI has them: without lists."""


class AttachFile(RequestModel):
    """A file to attach. Its chunks have the sizes that all of the vector store's have."""

    file_id: UUID
    chunking_strategy: ChunkingStrategy | None = None
    attributes: StoreAttributes | None = None


class UpdateStoreFile(RequestModel):
    """The attributes that take the place of what there is; null takes them all away."""

    attributes: StoreAttributes | None

    def change(self) -> FileChange:
        """The change of the file."""
        return FileChange(attributes=self.attributes or {})


class LastError(BaseModel):
    """Why a file failed."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class OtherChunking(BaseModel):
    """Chunks as the vector store had them when the file was attached."""

    type: Literal["other"] = "other"


class StoreFile(BaseModel):
    """A file of a vector store."""

    id: UUID
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: UUID
    usage_bytes: int
    status: Status
    last_error: LastError | None
    attributes: dict[str, str | bool | float]
    chunking_strategy: OtherChunking = OtherChunking()


class StoreFileDeleted(BaseModel):
    """A file that is no longer in the vector store."""

    id: UUID
    object: Literal["vector_store.file.deleted"] = "vector_store.file.deleted"
    deleted: Literal[True] = True


class Text(BaseModel):
    """A chunk's text."""

    type: Literal["text"] = "text"
    text: str


class Texts(BaseModel):
    """All chunks of a file, in their order."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[Text]
    has_more: bool = False
    next_page: None = None


def texts_answer(texts: Sequence[str]) -> Texts:
    """Chunks in the shape of the door."""
    return Texts(data=[Text(text=text) for text in texts])


def stages_of(status: Status | None) -> Set[Stage] | None:
    """The stages of files in a status; None for any."""
    match status:
        case None:
            return None
        case "in_progress":
            return [stage for stage in Stage if stage.unfinished]
        case "completed":
            return [Stage.ready]
        case "failed":
            return [Stage.failed]
    return [Stage.deleted]  # what was cancelled left the collection


def require_chunking(strategy: ChunkingStrategy | None, chunking: Chunking) -> None:
    """Refuse chunks of other sizes than the collection's.

    Raises:
        InvalidRequest: they are.
    """
    if isinstance(strategy, Static) and chunking_of(strategy) != chunking:
        size, overlap = chunking.max_tokens, chunking.overlap_tokens
        message = f"must be that of the vector store, {size} tokens with {overlap} overlapping: all its files share it"
        raise InvalidRequest.field("chunking_strategy.static", message)


def store_file_answer(file: File) -> StoreFile:
    """A file in the shape of the door."""
    return StoreFile(
        id=file.origin_id or file.id,
        created_at=int(file.created_at.timestamp()),
        vector_store_id=file.collection_id,
        usage_bytes=file.size_bytes,
        status=_status(file.stage),
        attributes=store_attributes(file.attributes),
        last_error=last_error(file.problem) if file.stage is Stage.failed and file.problem else None,
    )


def _status(stage: Stage) -> Status:
    if stage.unfinished:
        return "in_progress"
    return "completed" if stage is Stage.ready else "failed"


def last_error(problem: FileProblem) -> LastError:
    """A file's problem as OpenAI has it."""
    if problem.retryable or problem.code == FULL:
        return LastError(code="server_error", message=problem.detail)
    code: Literal["unsupported_file", "invalid_file"] = (
        "unsupported_file" if problem.code == UNSUPPORTED else "invalid_file"
    )
    return LastError(code=code, message=problem.detail)
