"""The routes of a search, by vectors and by words, of all that is searched; sent at once and fused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from modulo.adapters.milvus.rows import chunk_of, search_fields
from modulo.adapters.milvus.schema import SPARSE, VECTOR
from modulo.adapters.milvus.similarity import distance, score
from modulo.domain.retrieval.fusion import ROUTE_DEPTH, Candidates, SearchType, fused, saturated
from modulo.domain.retrieval.passage import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modulo.adapters.milvus.connection import MilvusConnection
    from modulo.domain.collections.collection import EmbeddingModel, Space
    from modulo.domain.search.target import Target

Found = Mapping[str, Any]
"""A row as a search returns it: its fields under `entity`, its score as `distance`."""
Key = tuple[str, int, int]
"""What a row is known by in both routes."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Targets in one Milvus collection, searched together: `limit` rows that the expression lets through.

    Without words there is only the route by vectors. Where there are both, each is asked for `ROUTE_DEPTH` candidates
    or more, since fusion may choose any of them.
    """

    targets: Sequence[Target]
    """With one model, and so with one vector; and of one type of search."""
    words: str
    expression: str
    limit: int
    ef: int

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests to Milvus, that by words first."""
        depth = max(self.limit, ROUTE_DEPTH) if self._by_words and self._by_vectors else self.limit
        requests, shown = [], search_fields(self.targets[0].space)
        if self._by_words:
            # What only words found has no similarity yet.
            fields = (*shown, VECTOR) if self._by_vectors else shown
            requests.append(self._request(SPARSE, self.words, {"metric_type": "BM25"}, depth, fields))
        if self._by_vectors:
            # HNSW refuses an `ef` below the limit; FLAT ignores the parameter.
            params = {"metric_type": str(self._model.metric), "params": {"ef": max(self.ef, depth)}}
            requests.append(self._request(VECTOR, list(self.targets[0].vector), params, depth, shown))
        return requests

    def candidates(self, found: Sequence[Sequence[Found]]) -> RoutedRows:
        """What the requests found, with what each candidate counts in each route."""
        worded = found[0] if self._by_words else ()
        near = found[-1] if self._by_vectors else ()
        rows = {_key(row): row for row in (*worded, *near)}
        bm25 = {_key(row): _bm25(row) for row in worded}
        similar = {_key(row): score(self._model.metric, row["distance"]) for row in near}
        if self._by_vectors:
            vector, metric = self.targets[0].vector, self._model.metric
            for key in rows.keys() - similar.keys():
                similar[key] = score(metric, distance(metric, vector, rows[key]["entity"][VECTOR]))
        else:
            similar = {key: saturated(found) for key, found in bm25.items()}
        keys = sorted(rows, key=lambda key: (-similar[key], key))
        weights = {str(target.space.collection_id): self._weight(target) for target in self.targets}
        scores = Candidates(
            text_weights=[weights[rows[key]["entity"]["collection_id"]] for key in keys],
            similarities=[similar[key] for key in keys] if self._by_vectors else None,
            bm25=[bm25.get(key) for key in keys] if self._by_words else None,
            cut=len(worded) == max(self.limit, ROUTE_DEPTH),
            scale=self._model.name,
        )
        return RoutedRows(self.targets, [rows[key] for key in keys], [similar[key] for key in keys], scores)

    @property
    def _model(self) -> EmbeddingModel:
        return self.targets[0].space.model

    @property
    def _by_vectors(self) -> bool:
        return self.targets[0].ranking.search_type is not SearchType.text

    @property
    def _by_words(self) -> bool:
        return bool(self.words) and self.targets[0].ranking.search_type is not SearchType.dense

    def _weight(self, target: Target) -> float:
        """What words count among the target's candidates."""
        if not self._by_vectors:
            return 1.0
        return target.ranking.text_weight if self._by_words else 0.0

    def _request(
        self, field: str, query: object, params: Mapping[str, Any], limit: int, fields: Sequence[str]
    ) -> dict[str, Any]:
        return {
            "collection_name": self.targets[0].space.name,
            "data": [query],
            "anns_field": field,
            "search_params": dict(params),
            "filter": self.expression,
            "limit": limit,
            "output_fields": list(fields),
            "consistency_level": "Eventually",
        }


@dataclass(frozen=True, slots=True)
class RoutedRows:
    """The rows that some routes found, with their relevance from 0 to 1 and the scores to fuse."""

    targets: Sequence[Target]
    rows: Sequence[Found]
    relevances: Sequence[float]
    scores: Candidates

    def hits(self, fused_scores: Iterable[float]) -> list[Hit]:
        """The rows as hits."""
        spaces = {str(target.space.collection_id): target.space for target in self.targets}
        texts = self.scores.bm25 or [None] * len(self.rows)
        return [
            _hit(spaces[row["entity"]["collection_id"]], row["entity"], relevance, bm25, one)
            for row, relevance, bm25, one in zip(self.rows, self.relevances, texts, fused_scores, strict=True)
        ]


def search_at_once(milvus: MilvusConnection, routes: Sequence[Routes], limit: int) -> list[Hit]:
    """The best hits of all routes, whose requests are under way at once.

    Milvus' own hybrid search returns a fused rank and no scores; several requests in flight take one round trip as
    well.
    """
    requests = [one.requests for one in routes]
    answers = iter(milvus.call_at_once("search", list(chain.from_iterable(requests))))
    found = [one.candidates([next(answers)[0] for _ in sent]) for one, sent in zip(routes, requests, strict=True)]
    scores = fused([one.scores for one in found])
    hits = [hit for one, fused_scores in zip(found, scores, strict=True) for hit in one.hits(fused_scores)]
    return sorted(hits, key=lambda hit: -hit.fused)[:limit]


def _hit(space: Space, entity: Mapping[str, Any], relevance: float, bm25: float | None, fused_score: float) -> Hit:
    return Hit(*chunk_of(space, entity), relevance, entity["source"], bm25, fused_score)


def _key(row: Found) -> Key:
    entity = row["entity"]
    return entity["file_id"], int(entity["generation"]), int(entity["number"])


def _bm25(row: Found) -> float:
    """The score, at least 0: Milvus tells it as it is, milvus-lite as a negative distance."""
    return abs(float(row["distance"]))
