"""The search contract: field names are those RAG Modulo's clients know."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AliasChoices, ConfigDict, Field, StringConstraints, computed_field

from modulo.domain.answers.outcome import Outcome
from modulo.domain.answers.reasoning_options import CotConfig, FormatType, ReasoningStrategy
from modulo.domain.citable_url import URL_DESCRIPTION
from modulo.domain.documents.placement import PageBox
from modulo.domain.errors import InvalidRequest
from modulo.domain.files.attributes import AttributeValue
from modulo.domain.files.file import DocumentInfo
from modulo.domain.model import VISIBLE, FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.retrieval.fusion import SearchType
from modulo.domain.retrieval.grouping import GroupBy
from modulo.domain.retrieval.search_defaults import ContextTokens, SearchDefaults
from modulo.domain.retrieval.suspicion import Flag
from modulo.domain.search.search_neighbor import Neighbor

MARK: Final = re.compile(r"\[(\d+)\]")
"""What an answer cites by: [n] is the n-th passage, or the citation whose mark is n."""
MAX_QUESTION_CHARACTERS = 8_000
MAX_COLLECTIONS = 10
"""Of one search: each embedding model among them costs one more call of its embedder, and searches of Milvus."""


class ConfigMetadata(RequestModel):
    """How to search; every field may be left out.

    Where search_type, text_weight, score_threshold, top_k, group_by or context_tokens is null, the collection's
    search_defaults count, and where these say nothing either, the service's settings.
    """

    top_k: int | None = Field(
        default=None, ge=1, description="passages to return; at most MAX_TOP_K; 10 where nobody says"
    )
    top_k_rerank: int | None = Field(default=None, ge=1, description="likewise after reranking; top_k where null")
    disable_rerank: bool = False
    group_by: GroupBy | None = Field(
        default=None,
        description="document: top_k and top_k_rerank count documents, each with at most 3 of its passages; passage: "
        "they count passages",
    )
    search_type: SearchType | None = Field(
        default=None, description="find passages by vectors (dense), by words (text) or by both (hybrid)"
    )
    text_weight: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="what words count in a hybrid search, 0.4 where nobody says; vectors count the rest",
    )
    score_threshold: float | None = Field(
        default=None, ge=0, le=1, description="passages whose chunk has a lower score are left out before reranking"
    )
    context_tokens: ContextTokens | None = Field(
        default=None,
        description="tokens of neighbours, chunks beside passages, that join them; 0 where nobody says",
    )
    cot_enabled: bool = Field(default=False, description="tell how each part of a question was answered: cot_output")
    cot_disabled: bool = Field(default=False, description="answer the question whole; wins over cot_enabled")
    cot_config: CotConfig | None = Field(default=None, description="how a question is taken apart; tells cot_output")
    structured_output_enabled: bool = Field(default=False, description="return structured_answer too")
    format_type: FormatType = Field(
        default=FormatType.standard, description="form of the structured answer, which it needs"
    )
    include_reasoning: bool = Field(default=False, description="tell the steps: cot_output, and in structured_answer")
    max_citations: int = Field(default=5, ge=1, le=100)
    min_confidence: float = Field(default=0.0, ge=0, le=1, description="passages with a lower score are left out")
    max_context_per_doc: int = Field(default=2_000, ge=100, le=100_000, description="characters of one passage")
    filters: Mapping[str, Any] = Field(
        default_factory=dict,
        description="what passages and their documents must meet: {type: and | or, filters: [...]}, "
        "{type: not, filter: ...}, {type: eq | ne | in | nin | gt | gte | lt | lte | contains | starts_with | exists, "
        "key, value}, or, for short, {key: value, key: [values], key: {gte: value}} of which all must hold. Keys are "
        "document_id, source, media_type, title, author, language, heading, page_number, creation_date, mod_date, "
        "created_at, and those of attributes",
    )
    retrieve_only: bool = Field(default=False, description="passages only, no answer")

    @property
    def said(self) -> SearchDefaults:
        """What the request says of what collections and settings may say, too."""
        return SearchDefaults(
            search_type=self.search_type,
            text_weight=self.text_weight,
            score_threshold=self.score_threshold,
            top_k=self.top_k,
            group_by=self.group_by,
            context_tokens=self.context_tokens,
        )


Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARACTERS, pattern=VISIBLE)
]


class SearchInput(RequestModel):
    """A question to one collection or to several, of which the caller has to be a member of each.

    `query` is another name of `question`, and `options` of `config_metadata`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"question": "How long is the notice period?", "collection_id": "7f1a6c1e-2f0e-4c52-9a58-0d6c1d9b8a10"}
            ]
        }
    )

    question: Question = Field(validation_alias=AliasChoices("question", "query"))
    collection_id: UUID | None = Field(default=None, description="where to search; or else collection_ids")
    collection_ids: tuple[UUID, ...] | None = Field(
        default=None, min_length=1, max_length=MAX_COLLECTIONS, description="where to search, in all of them at once"
    )
    config_metadata: ConfigMetadata = Field(
        default=ConfigMetadata(), validation_alias=AliasChoices("config_metadata", "options")
    )

    @property
    def collections(self) -> tuple[UUID, ...]:
        """The collections to search, each once; in an order of their own, so that equal searches are equal.

        Raises:
            InvalidRequest: none is named, or they are named in both ways.
        """
        if self.collection_id is not None and self.collection_ids is not None:
            raise InvalidRequest.field("collection_ids", "takes the place of collection_id: send one of them")
        named = (self.collection_id,) if self.collection_id is not None else self.collection_ids
        if named is None:
            raise InvalidRequest.field("collection_id", "is needed, or collection_ids")
        return tuple(sorted(set(named)))


class ChunkMetadata(FrozenModel):
    """The position of a chunk in its document."""

    source: str
    page_number: int
    chunk_number: int
    start_index: int
    end_index: int
    table_index: int | None = None
    url: str | None = Field(default=None, description="where the document was fetched from, if it was")
    created_at: str
    author: str | None = None
    attributes: Mapping[str, AttributeValue] = Field(default_factory=dict, description="of the file")


class FoundChunk(FrozenModel):
    """A chunk as a result names it."""

    chunk_id: UUID
    text: str
    document_id: UUID
    collection_id: UUID
    metadata: ChunkMetadata
    url: str = Field(description=URL_DESCRIPTION)
    score: float = Field(
        description="similarity to the question from 0 to 1; in a search by words alone, BM25 / (BM25 + 10)"
    )
    text_score: float | None = Field(default=None, description="BM25; null where the search by words did not find it")
    fused_score: float = Field(description="of both: z-scores added by weight; comparable within one search only")

    @computed_field(description="the same as `chunk_id`")
    def id(self) -> UUID:
        """Its own id, under the name that every thing's has."""
        return self.chunk_id


class QueryResult(FrozenModel):
    """A passage, best first."""

    chunk: FoundChunk
    score: float = Field(description="the reranker's score where it ran, else the chunk's")
    flags: tuple[Flag, ...] = Field(
        default=(), description="what in it speaks to a language model or hides from its reader; told, not acted on"
    )
    neighbors: tuple[Neighbor, ...] = Field(
        default=(), description="those that joined it within context_tokens, in the document's order"
    )


class FoundDocument(DocumentInfo):
    """A document that results come from, with its properties."""

    document_id: UUID
    collection_id: UUID
    origin_id: UUID | None = Field(default=None, description="the user file that it is a copy of")
    document_name: str
    url: str = Field(description=URL_DESCRIPTION)
    total_chunks: int
    attributes: Mapping[str, AttributeValue] = Field(default_factory=dict)

    @computed_field(description="the same as `document_id`")
    def id(self) -> UUID:
        """Its own id, under the name that every thing's has."""
        return self.document_id


_BOXES_DESCRIPTION = (
    "where the excerpt stands on its page, one box for each stretch of a line; empty where the document has no printed "
    "pages or was indexed before boxes were kept"
)


class Span(FrozenModel):
    """Characters from `start` up to `end`."""

    start: int
    end: int


class NearestPassage(FrozenModel):
    """A passage near to a question that it does not answer; `excerpt` is its part that is nearest."""

    document_id: UUID
    collection_id: UUID
    title: str
    excerpt: str = Field(max_length=500)
    page_number: int
    start_index: int
    end_index: int
    relevance_score: float = Field(ge=0, le=1)
    chunk_id: UUID
    url: str = Field(description=URL_DESCRIPTION)
    boxes: tuple[PageBox, ...] = Field(default=(), description=_BOXES_DESCRIPTION)


class Citation(FrozenModel):
    """What part of the answer rests on; `mark` is the [n] in its text."""

    mark: int
    document_id: UUID
    collection_id: UUID | None = Field(default=None, description="null in messages from before it was told")
    title: str
    excerpt: str = Field(max_length=500)
    page_number: int
    relevance_score: float = Field(ge=0, le=1, description="the passage's; of a neighbour, of the passage it is beside")
    chunk_id: UUID
    url: str | None = Field(default=None, description=URL_DESCRIPTION + "; older answers have none")
    start_index: int = Field(default=0, description="of the excerpt in the text of its page, as chunks count it")
    end_index: int = 0
    answer_spans: tuple[Span, ...] = Field(
        default=(), description="the parts of the answer that it supports; empty while an answer is streamed"
    )
    boxes: tuple[PageBox, ...] = Field(default=(), description=_BOXES_DESCRIPTION)


class ReasoningStep(FrozenModel):
    """One part of the question; `confidence_score` is the best cited passage's, absent where none is cited."""

    step_number: int
    question: str
    context_used: tuple[str, ...] = Field(description="texts of the passages that the step's answer rests on")
    source_attributions: tuple[Citation, ...]
    intermediate_answer: str
    confidence_score: float | None
    reasoning_trace: str
    execution_time: float
    token_usage: int


class SourceSummary(FrozenModel):
    """Names of documents: all found, those cited, and those cited by each step."""

    all_sources: tuple[str, ...]
    primary_sources: tuple[str, ...]
    source_usage_by_step: Mapping[int, tuple[str, ...]]


class CotOutput(FrozenModel):
    """How a question with several parts was answered; `total_confidence` is the lowest of the steps'."""

    original_question: str
    final_answer: str
    reasoning_steps: tuple[ReasoningStep, ...]
    source_summary: SourceSummary
    total_confidence: float | None
    token_usage: int
    total_execution_time: float
    reasoning_strategy: ReasoningStrategy = ReasoningStrategy.decomposition


class StructuredAnswer(FrozenModel):
    """The answer in the form that was asked for; `confidence` is the lowest of its steps', null where one has none."""

    answer: str
    confidence: float | None
    citations: tuple[Citation, ...]
    reasoning_steps: tuple[ReasoningStep, ...] | None = None
    format_type: FormatType
    metadata: Mapping[str, Any] = Field(description="`strategy`, `parts` and how many of them were `answered`")


class SearchedCollection(FrozenModel):
    """A collection that was searched, as it was then."""

    collection_id: UUID
    version: int
    embedding_model: str


class SearchMetadata(FrozenModel):
    """How the answer came about; times in seconds."""

    generator: str | None = None
    found: bool | None = None
    outcome: Outcome | None = Field(
        default=None,
        description="unverified: a model answered, and its citations did not hold; cut_short: the tokens that were "
        "asked for are too few for a sentence; null where no answer was asked for",
    )
    cut_short: bool = Field(default=False, description="the answer ends where the tokens that were asked for ended")
    answer_kind: Literal["extracts", "generated"] | None = Field(
        default=None, description="extracts are quoted from the documents, without a language model"
    )
    cached: bool = False
    reranked: bool = False
    degraded: tuple[str, ...] = Field(
        default=(), description="stages that were skipped because a dependency did not answer"
    )
    parts: tuple[str, ...] = Field(
        default=(), description="what was searched for where the question was taken apart, in the question's order"
    )
    complete: bool = Field(
        default=True,
        description="false where fewer passages than asked for met the filter among the nearest that were looked "
        "through, so that others may meet it",
    )
    collections: tuple[SearchedCollection, ...]
    collection_version: int | None = Field(description="of the one collection; null where several were searched")
    embedding_model: str | None = Field(description="of the one collection; null where several were searched")
    tokens_used: int = 0
    stage_seconds: Mapping[str, float] = Field(default_factory=dict)


class SearchOutput(FrozenModel):
    """An answer with everything it rests on."""

    answer: str | None = None
    documents: tuple[FoundDocument, ...] = ()
    query_results: tuple[QueryResult, ...] = ()
    citations: tuple[Citation, ...] = ()
    nearest: tuple[NearestPassage, ...] = Field(default=(), description="where there is no answer")
    rewritten_query: str | None = None
    execution_time: float
    cot_output: CotOutput | None = Field(default=None, description="present where chain of thought found several parts")
    metadata: SearchMetadata
    token_warning: str | None = Field(default=None, description="which parts the token budget left no room for")
    structured_answer: StructuredAnswer | None = None

    def cited_marks(self) -> Iterator[tuple[re.Match[str], Citation]]:
        """Each mark in the answer with the citation that it names, in their order."""
        cited = {citation.mark: citation for citation in self.citations}
        for mark in MARK.finditer(self.answer or ""):
            if citation := cited.get(int(mark[1])):
                yield mark, citation
