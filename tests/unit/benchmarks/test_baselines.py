"""The baselines, by hand."""

from math import log

import numpy as np
import pytest

from benchmarks.baselines import Bm25, fuse, rank_by_vector, rank_documents


def test_bm25_is_lucenes() -> None:
    bm25 = Bm25(["the cat", "the dog and the cat", "a bird"])
    found = bm25.scores("CAT?")
    rarity = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert found == {
        0: pytest.approx(rarity / (1 + 1.2 * (0.25 + 0.75 * 2 / 3))),
        1: pytest.approx(rarity / (1 + 1.2 * (0.25 + 0.75 * 5 / 3))),
    }
    assert bm25.scores("fish") == {}
    assert bm25.scores("cat cat")[0] == pytest.approx(2 * found[0])


def test_a_document_is_ranked_by_its_best_chunk() -> None:
    assert rank_documents({0: 0.2, 1: 0.9, 2: 0.5}, ["a", "b", "a"]) == ["b", "a"]
    assert rank_documents({1: 0.5, 0: 0.5}, ["a", "b"]) == ["a", "b"]
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    assert rank_by_vector(np.array([0, 1], dtype=np.float32), vectors, ["a", "b", "c"]) == ["b", "c", "a"]


def test_reciprocal_rank_fusion() -> None:
    # a: 1/61 + 1/63, b: 1/62 + 1/61, c: 1/63, d: 1/62
    assert fuse([["a", "b", "c"], ["b", "d", "a"]]) == ["b", "a", "d", "c"]
