"""Responses of `/v1`: a question and its answer, as an object that can be asked for again."""

import copy
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, Field

from modulo.domain.answers.answer import TokenUsage
from modulo.domain.conversations.conversation import StoredMessage
from modulo.domain.conversations.response import RESPONSE
from modulo.domain.search.search import FoundDocument, QueryResult, SearchOutput
from modulo.runtime.openai.attributes import store_attributes
from modulo.runtime.openai.response_request import CreateResponse

Status = Literal["in_progress", "completed", "incomplete", "failed"]


class FileCitation(BaseModel):
    """A file that a mark cites; `index` is where the mark stands in the text."""

    type: Literal["file_citation"] = "file_citation"
    file_id: UUID
    filename: str
    index: int


class OutputText(BaseModel):
    """A text with its citations."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[FileCitation]
    logprobs: list[Any] = []


class OutputMessage(BaseModel):
    """The answer."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    status: Literal["in_progress", "completed", "incomplete"]
    content: list[OutputText]


class FileSearchResult(BaseModel):
    """A passage that was found."""

    file_id: UUID
    filename: str
    score: float
    text: str
    attributes: dict[str, str | bool | float]


class FileSearchCall(BaseModel):
    """The search behind an answer; its results are told where they are asked for, and not kept."""

    id: str
    type: Literal["file_search_call"] = "file_search_call"
    status: Literal["in_progress", "searching", "completed"]
    queries: list[str]
    results: list[FileSearchResult] | None = None


class ResponseUsage(BaseModel):
    """Tokens as the generator's provider counts them; 0 where it is not metered, or the answer was known."""

    input_tokens: int
    input_tokens_details: dict[str, int] = {"cached_tokens": 0, "cache_write_tokens": 0}
    output_tokens: int
    output_tokens_details: dict[str, int] = {"reasoning_tokens": 0}
    total_tokens: int


class ResponseError(BaseModel):
    """Why there is no answer."""

    code: Literal["server_error", "rate_limit_exceeded"]
    message: str


class Response(BaseModel):
    """A question's answer with what was asked of it."""

    id: UUID
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Status
    background: Literal[False] = False
    error: ResponseError | None = None
    incomplete_details: dict[str, str] | None = None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: dict[str, str]
    model: str
    output: list[Annotated[FileSearchCall | OutputMessage, Field(discriminator="type")]]
    parallel_tool_calls: bool
    previous_response_id: UUID | None
    conversation: dict[str, str] | None
    service_tier: Literal["default"] = "default"
    store: bool
    temperature: float
    text: dict[str, Any] = {"format": {"type": "text"}}
    tool_choice: Any
    tools: list[dict[str, Any]]
    top_p: float = 1.0
    truncation: Literal["auto"] = "auto"
    usage: ResponseUsage | None = None


class ResponseDeleted(BaseModel):
    """A response that is gone."""

    id: UUID
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


def response_begun(asked: CreateResponse, response_id: UUID, created: int) -> Response:
    """A response that is being written."""
    choice = asked.tool_choice or "auto"
    return Response(
        id=response_id,
        created_at=created,
        status="in_progress",
        instructions=asked.instructions,
        max_output_tokens=asked.max_output_tokens,
        max_tool_calls=asked.max_tool_calls,
        metadata=dict(asked.metadata or {}),
        model=asked.model,
        output=[],
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        previous_response_id=asked.previous_response_id,
        conversation={"id": str(asked.conversation)} if asked.conversation else None,
        store=asked.store is not False,
        temperature=asked.temperature or 0.0,
        tool_choice={"type": choice} if choice == "file_search" else choice,
        tools=[tool.model_dump(mode="json", exclude_none=True) for tool in asked.tools or ()],
    )


def response_done(
    begun: Response, search: FileSearchCall, output: SearchOutput, used: TokenUsage, now: int
) -> Response:
    """The response with its search and its answer."""
    cut_short = output.metadata.cut_short
    status: Literal["completed", "incomplete"] = "incomplete" if cut_short else "completed"
    message = OutputMessage(id=message_id(begun.id), status=status, content=[output_text(output)])
    usage = ResponseUsage(input_tokens=used.prompt, output_tokens=used.completion, total_tokens=used.total)
    return begun.model_copy(
        update={
            "status": status,
            "completed_at": None if cut_short else now,
            "incomplete_details": {"reason": "max_output_tokens"} if cut_short else None,
            "output": [search, message],
            "usage": usage,
        }
    )


def message_id(response_id: UUID) -> str:
    """The id of the answer's message, which is its id as an item of its conversation."""
    return str(response_id)


def search_id(response_id: UUID) -> str:
    """The id of the search behind an answer."""
    return str(uuid5(response_id, "file_search_call"))


def search_of(response_id: UUID, question: str, output: SearchOutput) -> FileSearchCall:
    """The search behind a whole answer."""
    queries = output.metadata.parts or (output.rewritten_query or question,)
    return search_done(response_id, queries, output.documents, output.query_results)


def search_done(
    response_id: UUID, queries: Sequence[str], documents: Sequence[FoundDocument], found: Sequence[QueryResult]
) -> FileSearchCall:
    """The search that is over: what was searched for, and what was found, each passage once."""
    files = _files(documents)
    passages = {result.chunk.chunk_id: result for result in found}
    results = [
        FileSearchResult(
            file_id=files[one.chunk.document_id],
            filename=one.chunk.metadata.source,
            score=one.score,
            text=one.chunk.text,
            attributes=store_attributes(one.chunk.metadata.attributes),
        )
        for one in passages.values()
    ]
    return FileSearchCall(id=search_id(response_id), status="completed", queries=list(queries), results=results)


def output_text(output: SearchOutput) -> OutputText:
    """The answer's text with a citation for each of its marks."""
    files = _files(output.documents)
    annotations = [
        FileCitation(file_id=files[citation.document_id], filename=citation.title, index=mark.start())
        for mark, citation in output.cited_marks()
    ]
    return OutputText(text=output.answer or "", annotations=annotations)


def _files(documents: Sequence[FoundDocument]) -> Mapping[UUID, UUID]:
    """The files that were attached by the documents that are copies of them; else the documents themselves."""
    return {document.document_id: document.origin_id or document.document_id for document in documents}


def without_results(response: Response) -> Response:
    """The response without what was found."""
    search, *others = response.output
    return response.model_copy(update={"output": [search.model_copy(update={"results": None}), *others]})


def kept(response: Response) -> Mapping[str, Any]:
    """What is stored of a response: all but the text, which is its message's, and what was found."""
    document = without_results(response).model_dump(mode="json")
    document["output"][1]["content"][0]["text"] = ""
    return document


def stored_response(stored: StoredMessage) -> Response:
    """A response as it was told."""
    document = copy.deepcopy(stored.details[RESPONSE])
    document["output"][1]["content"][0]["text"] = stored.message.content
    return Response.model_validate(document)
