"""The benchmark of chunk sizes: its sample, its search, and what it counts."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Encoding

from benchmarks.chunk_sizes import Index, excerpt_recall, main, sampled
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.domain.collections.collection import Chunking
from tests.unit.passages import passage

DOCUMENTS = {"sea.md": "The sea is deep.", "hill.md": "The hill is high.", "tea.md": "Tea is hot."}


class Tokens:
    """An encoding of nothing but its text."""

    def __init__(self, text: str) -> None:
        self.ids = list(text)


class LetterCounts:
    """An embedder that counts letters."""

    def encode(self, texts: list[str]) -> list[Tokens]:
        return [Tokens(text) for text in texts]

    def run(self, encoding: Encoding) -> np.ndarray:
        counts = np.array([encoding.ids.count(letter) for letter in "adeghilstp"], dtype=np.float32)
        return counts / (np.linalg.norm(counts) or 1)


def test_missing_data_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "Name the folder with --data or MODULO_EVALUATION_DATA." in capsys.readouterr().err


def test_a_sample_is_the_same_each_time() -> None:
    assert sampled(DOCUMENTS, 2) == sampled(dict(reversed(DOCUMENTS.items())), 2)
    assert sampled(DOCUMENTS, None) == DOCUMENTS


def test_an_excerpt_is_found_in_a_right_document_only() -> None:
    question = GoldenQuestion(id="1", question="How deep?", documents={"sea.md": 1}, answers=("11 km",))
    right, wrong = passage("It is 11 km deep.", name="sea.md"), passage("It is 11 km long.", name="hill.md")
    assert excerpt_recall(question, [wrong, right]) == (1.0, 1.0)
    assert excerpt_recall(question, [wrong]) == (0.0, 1.0)
    assert excerpt_recall(question.model_copy(update={"answers": ()}), [right]) == (0.0, 0.0)


def test_both_routes_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.chunk_sizes._embedding_seconds", lambda *_: 0.5)
    index = Index(DOCUMENTS, Chunking(), LetterCounts())  # type: ignore[arg-type]
    assert (len(index.rows), index.seconds) == (3, 0.5 * index.tokens)
    found = index.search("How deep is the sea?")
    assert found[0].document.name == "sea.md"
    assert len(found) == 3
    assert found[0].hit.fused > found[1].hit.fused
