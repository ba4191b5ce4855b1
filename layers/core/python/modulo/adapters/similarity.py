"""How near two vectors are, as a score from 0 to 1 that means the same in every vector store."""

from collections.abc import Sequence
from math import isfinite, sqrt
from operator import mul

from modulo.domain.collection import EmbeddingModel, Metric


def score(metric: Metric, distance: float) -> float:
    """The score of what Milvus calls distance.

    It is the cosine itself (or the inner product, that of normalised vectors), where less than 0
    counts as 0, and 1 / (1 + d²) of a Euclidean distance d, which Milvus gives squared.
    """
    if metric is Metric.euclidean:
        return 1 / (1 + max(distance, 0.0))
    return min(max(distance, 0.0), 1.0)


def distance(metric: Metric, one: Sequence[float], other: Sequence[float]) -> float:
    """What Milvus calls distance: a similarity for COSINE and IP, the squared distance for L2."""
    if metric is Metric.euclidean:
        return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    product: float = sum(map(mul, one, other))
    if metric is Metric.inner_product:
        return product
    lengths: float = sqrt(sum(map(mul, one, one)) * sum(map(mul, other, other)))
    return product / lengths if lengths else 0.0


def require_vector(model: EmbeddingModel, vector: Sequence[float]) -> None:
    """Refuse what the model cannot have made.

    Raises:
        ValueError: wrong dimensions, or a component that is no finite number.
    """
    if len(vector) != model.dimensions:
        raise ValueError(f"{model.name} has {model.dimensions} dimensions, the vector {len(vector)}")
    if not all(map(isfinite, vector)):
        raise ValueError("the vector holds a component that is no finite number")
