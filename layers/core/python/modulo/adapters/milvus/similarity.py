"""Similarity of two vectors as a score from 0 to 1, the same in every vector store."""

from collections.abc import Sequence
from math import isfinite, sqrt
from operator import mul

from modulo.domain.collections.collection import EmbeddingModel, Metric


def score(metric: Metric, distance: float) -> float:
    """The score of a distance as Milvus defines it.

    For cosine and inner product it is the value itself, at least 0 and at most 1. For a Euclidean distance d it is
    1 / (1 + d²); Milvus gives d².
    """
    if metric is Metric.euclidean:
        return 1 / (1 + max(distance, 0.0))
    return min(max(distance, 0.0), 1.0)


def distance(metric: Metric, one: Sequence[float], other: Sequence[float]) -> float:
    """The distance as Milvus defines it: a similarity for COSINE and IP, the squared distance for L2."""
    if metric is Metric.euclidean:
        return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    product: float = sum(map(mul, one, other))
    if metric is Metric.inner_product:
        return product
    lengths: float = sqrt(sum(map(mul, one, one)) * sum(map(mul, other, other)))
    return product / lengths if lengths else 0.0


def require_vector(model: EmbeddingModel, vector: Sequence[float]) -> None:
    """Refuse a vector that the model cannot have produced.

    Raises:
        ValueError: its dimensions are wrong, or a component is not a finite number.
    """
    if len(vector) != model.dimensions:
        raise ValueError(f"{model.name} has {model.dimensions} dimensions, the vector {len(vector)}")
    if not all(map(isfinite, vector)):
        raise ValueError("the vector has a component that is not a finite number")
