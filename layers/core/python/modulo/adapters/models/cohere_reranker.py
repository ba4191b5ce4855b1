"""Reranking through any Cohere-compatible API."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modulo.adapters.models.http_api import ModelApi
from modulo.domain.errors import BadModelAnswer

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret


class CohereReranker:
    """A reranker behind POST {url}/rerank; `url` includes the version, such as https://api.cohere.com/v2."""

    def __init__(self, url: str, *, api_key: "str | Secret | None", model: str, timeout: float) -> None:
        self._api = ModelApi(url, api_key=api_key, timeout=timeout, dependency="reranker")
        self.name = model

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """The model's relevance scores."""
        if not texts:
            return []
        body = {"model": self.name, "query": question, "documents": list(texts), "top_n": len(texts)}
        return _scores(self._api.post("/rerank", body), len(texts))

    def ping(self) -> None:
        """Request the list of models."""
        self._api.ping()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()


def _scores(answer: Any, count: int) -> list[float]:
    try:
        found = {int(result["index"]): float(result["relevance_score"]) for result in answer["results"]}
    except (LookupError, TypeError, ValueError, OverflowError):
        raise BadModelAnswer("The reranker's answer is not in the format of Cohere's rerank API.") from None
    if sorted(found) != list(range(count)):
        raise BadModelAnswer(f"The reranker did not score each of {count} texts.")
    if not all(math.isfinite(score) and 0 <= score <= 1 for score in found.values()):
        raise BadModelAnswer("The reranker gave scores that are not from 0 to 1.")
    return [found[index] for index in range(count)]
