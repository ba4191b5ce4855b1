"""The search contract: field names are those RAG Modulo's clients know."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from modulo.domain.file import DocumentInfo
from modulo.domain.value import Value

MAX_QUESTION = 8_000
TOP_K = 10


class ConfigMetadata(Value):
    """How to search; every field may be left out."""

    top_k: int = Field(default=TOP_K, ge=1, description="passages to return; at most MAX_TOP_K")
    top_k_rerank: int | None = Field(default=None, ge=1, description="passages kept after reranking; top_k if null")
    disable_rerank: bool = False
    cot_enabled: bool = Field(default=False, description="answer each part of a question with several parts")
    cot_disabled: bool = Field(default=False, description="wins over cot_enabled")
    max_citations: int = Field(default=5, ge=1, le=100)
    min_confidence: float = Field(default=0.0, ge=0, le=1, description="passages scoring less are left out")
    max_context_per_doc: int = Field(default=2_000, ge=100, le=100_000, description="characters of one passage")
    filters: Mapping[str, Any] = Field(
        default_factory=dict,
        description="what passages and their documents must meet, all of it: a value or a list of values for "
        "source, document_id, media_type, title, author, language and heading; a value or {gte, gt, lte, lt} for "
        "page_number, creation_date, mod_date and created_at; {contains} for title, author and heading",
    )
    retrieve_only: bool = Field(default=False, description="passages only, no answer")


Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION)]


class SearchInput(Value):
    """A question to one collection."""

    question: Question
    collection_id: UUID
    config_metadata: ConfigMetadata = ConfigMetadata()


class ChunkMetadata(Value):
    """Where in its document a chunk stands."""

    source: str
    page_number: int
    chunk_number: int
    start_index: int
    end_index: int
    table_index: int | None = None
    url: str | None = None
    created_at: str
    author: str | None = None


class FoundChunk(Value):
    """A chunk as a result names it."""

    chunk_id: UUID
    text: str
    document_id: UUID
    metadata: ChunkMetadata
    score: float


class QueryResult(Value):
    """A passage, best first."""

    chunk: FoundChunk
    score: float


class FoundDocument(DocumentInfo):
    """A document that results come from, with what it says of itself."""

    document_id: UUID
    document_name: str
    total_chunks: int


class Citation(Value):
    """What part of the answer rests on; `mark` is the [n] in its text."""

    mark: int
    document_id: UUID
    title: str
    excerpt: str = Field(max_length=500)
    page_number: int
    relevance_score: float = Field(ge=0, le=1)
    chunk_id: UUID


class ReasoningStep(Value):
    """One part of the question; `confidence_score` is the best cited passage's, null where none is cited."""

    step_number: int
    question: str
    context_used: tuple[str, ...] = Field(description="texts of the passages that the step's answer rests on")
    source_attributions: tuple[Citation, ...]
    intermediate_answer: str
    confidence_score: float | None
    reasoning_trace: str
    execution_time: float
    token_usage: int


class SourceSummary(Value):
    """Names of documents: found at all, cited, and cited by each step."""

    all_sources: tuple[str, ...]
    primary_sources: tuple[str, ...]
    source_usage_by_step: Mapping[int, tuple[str, ...]]


class CotOutput(Value):
    """How a question with several parts was answered; `total_confidence` is that of the weakest step."""

    original_question: str
    final_answer: str
    reasoning_steps: tuple[ReasoningStep, ...]
    source_summary: SourceSummary
    total_confidence: float | None
    token_usage: int
    total_execution_time: float
    reasoning_strategy: str = "decomposition"


class SearchMetadata(Value):
    """How the answer came about; times in seconds."""

    generator: str | None = None
    found: bool | None = None
    cached: bool = False
    reranked: bool = False
    degraded: tuple[str, ...] = Field(default=(), description="parts that were left out because they did not answer")
    collection_version: int
    embedding_model: str
    tokens_used: int = 0
    stage_seconds: Mapping[str, float] = Field(default_factory=dict)


class SearchOutput(Value):
    """An answer with everything it rests on."""

    answer: str | None = None
    documents: tuple[FoundDocument, ...] = ()
    query_results: tuple[QueryResult, ...] = ()
    citations: tuple[Citation, ...] = ()
    rewritten_query: str | None = None
    execution_time: float
    cot_output: CotOutput | None = Field(default=None, description="where chain of thought found several parts")
    metadata: SearchMetadata
    token_warning: str | None = None
