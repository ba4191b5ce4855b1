"""Ranking and filters of a file search, as searches of vector stores and the tool of responses have them."""

from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import ConfigMetadata
from modulo.runtime.openai.fields import StoreIds
from modulo.runtime.openai.filters import own_filters

MAX_RESULTS: Final = 50


class HybridSearch(RequestModel):
    """What vectors and words count in a search."""

    embedding_weight: float = Field(ge=0, le=1_000)
    text_weight: float = Field(ge=0, le=1_000)

    @model_validator(mode="after")
    def _weighs(self) -> Self:
        if not self.embedding_weight + self.text_weight:
            raise ValueError("one of both weights must be above 0")
        return self


class RankingOptions(RequestModel):
    """How results are ranked: `none` goes without the reranker, all others mean Modulo's own."""

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: float = Field(default=0.0, ge=0, le=1)
    hybrid_search: HybridSearch | None = None

    def config(self, at: str, *, top_k: int | None, filters: dict[str, Any] | None) -> ConfigMetadata:
        """The options of a search; `at` is where the filters stand.

        Raises:
            InvalidRequest: the filters are none.
        """
        asked: dict[str, Any] = {}
        if self.hybrid_search is not None:
            both = self.hybrid_search.embedding_weight + self.hybrid_search.text_weight
            asked["text_weight"] = self.hybrid_search.text_weight / both
        return ConfigMetadata(
            top_k=top_k,
            disable_rerank=self.ranker == "none",
            min_confidence=self.score_threshold,
            filters=own_filters(filters, at),
            **asked,
        )


class FileSearch(RequestModel):
    """The tool that looks for passages in vector stores; the one tool there is."""

    type: Literal["file_search"]
    vector_store_ids: StoreIds
    max_num_results: int | None = Field(default=None, ge=1, le=MAX_RESULTS)
    ranking_options: RankingOptions | None = None
    filters: dict[str, Any] | None = None

    def config(self, at: str) -> ConfigMetadata:
        """The options of its search; `at` is the tool's own place."""
        ranking = self.ranking_options or RankingOptions()
        return ranking.config(f"{at}.filters", top_k=self.max_num_results, filters=self.filters)
