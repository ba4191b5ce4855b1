"""Searches of vector stores."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import QueryResult, Question, SearchInput
from modulo.runtime.openai.attributes import store_attributes
from modulo.runtime.openai.file_search import MAX_RESULTS, RankingOptions
from modulo.runtime.openai.store_files import Text
from modulo.usecases.search.several import FoundPassages

MAX_QUERIES: Final = 8


Queries = Annotated[list[Question], Field(min_length=1, max_length=MAX_QUERIES)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class SearchStore(RequestModel):
    """A search for passages. Queries are searched for as they are written."""

    query: Annotated[Queries, BeforeValidator(_listed, json_schema_input_type=Question | Queries)]
    max_num_results: int | None = Field(default=None, ge=1, le=MAX_RESULTS)
    ranking_options: RankingOptions = RankingOptions()
    filters: dict[str, Any] | None = None
    rewrite_query: Literal[False] = False

    def searches(self, collection_id: UUID) -> list[SearchInput]:
        """A search for each query.

        Raises:
            InvalidRequest: the filters are none.
        """
        found = self.ranking_options.config("filters", top_k=self.max_num_results, filters=self.filters)
        config = found.model_copy(update={"retrieve_only": True})
        return [
            SearchInput(question=query, collection_id=collection_id, config_metadata=config) for query in self.query
        ]


class StoreResult(BaseModel):
    """A passage of a file."""

    file_id: UUID
    filename: str
    score: float
    attributes: dict[str, str | bool | float]
    content: list[Text]


class StoreResults(BaseModel):
    """What a search found; there is one page."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[StoreResult]
    has_more: bool = False
    next_page: None = None


def _texts(found: QueryResult) -> list[str]:
    """A passage among its neighbours, in the document's order."""
    number = found.chunk.metadata.chunk_number
    before = [one.text for one in found.neighbors if one.chunk_number < number]
    behind = [one.text for one in found.neighbors if one.chunk_number > number]
    return [*before, found.chunk.text, *behind]


def store_results_answer(asked: SearchStore, found: FoundPassages) -> StoreResults:
    """Passages in the shape of the door."""
    return StoreResults(
        search_query=asked.query,
        data=[
            StoreResult(
                file_id=found.documents[one.chunk.document_id].origin_id or one.chunk.document_id,
                filename=one.chunk.metadata.source,
                score=one.score,
                attributes=store_attributes(one.chunk.metadata.attributes),
                content=[Text(text=text) for text in _texts(one)],
            )
            for one in found.passages
        ],
    )
