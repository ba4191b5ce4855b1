"""Scores of vectors."""

import math

import pytest

from modulo.adapters.milvus.similarity import distance, require_vector, score
from modulo.domain.collections.collection import EmbeddingModel, Metric


@pytest.mark.parametrize(
    ("metric", "other", "expected"),
    [
        (Metric.cosine, (3.0, 4.0), 0.6),
        (Metric.cosine, (-1.0, 0.0), -1.0),
        (Metric.cosine, (0.0, 0.0), 0.0),
        (Metric.inner_product, (3.0, 4.0), 3.0),
        (Metric.euclidean, (3.0, 4.0), 20.0),
    ],
)
def test_distance(metric: Metric, other: tuple[float, float], expected: float) -> None:
    assert distance(metric, (1.0, 0.0), other) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "distance", "expected"),
    [
        (Metric.cosine, 0.7, 0.7),
        (Metric.cosine, -0.2, 0.0),
        (Metric.cosine, 1.0000001, 1.0),
        (Metric.inner_product, 5.0, 1.0),
        (Metric.euclidean, 0.0, 1.0),
        (Metric.euclidean, -1e-9, 1.0),
        (Metric.euclidean, 3.0, 0.25),
    ],
)
def test_a_score_is_from_0_to_1(metric: Metric, distance: float, expected: float) -> None:
    assert score(metric, distance) == pytest.approx(expected)


@pytest.mark.parametrize("bad", [(), (1.0,), (1.0, 0.0, 0.0), (math.nan, 0.0), (0.0, -math.inf)])
def test_what_a_model_cannot_have_made(bad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"dimensions|finite"):
        require_vector(EmbeddingModel(name="m", dimensions=2), bad)


def test_what_it_can() -> None:
    require_vector(EmbeddingModel(name="m", dimensions=2), (0.5, -1))
