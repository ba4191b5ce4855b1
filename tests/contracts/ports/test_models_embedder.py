"""What every embedder promises: without a model, with the local model server, and with Bedrock's protocol."""

import math
from collections.abc import Iterator
from contextlib import closing

import pytest

from modulo.adapters.models.openai_embedder import OpenAIEmbedder
from modulo.domain.collections.collection import EmbeddingModel
from modulo.domain.errors import BadModelAnswer
from modulo.ports.models import Embedder
from modulo.settings import BGE_SMALL
from tests.doubles.memory_embedder import MemoryEmbedder

Environment = dict[str, str]
NEAR = ("The cat sleeps on the warm mat.", "A cat sleeps on a mat.", "Interest rates rose sharply this quarter.")


def served(environment: Environment) -> OpenAIEmbedder:
    url, key = environment["EMBEDDING_URL"], environment["EMBEDDING_API_KEY"]
    return OpenAIEmbedder(url, api_key=key, batch_size=4, timeout=60)


@pytest.fixture(params=["memory", "server"])
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    if request.param == "memory":
        yield MemoryEmbedder()
        return
    with closing(served(request.getfixturevalue("models"))) as embedder:
        yield embedder


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_one_vector_a_text_of_the_model_s_dimensions(embedder: Embedder) -> None:
    vectors = embedder.embed(BGE_SMALL, ["one", "two", "three", "four", "five", "six"])
    assert [len(vector) for vector in vectors] == [384] * 6
    assert all(math.isclose(math.hypot(*vector), 1, abs_tol=1e-4) for vector in vectors)


def test_vectors_come_in_the_order_of_the_texts(embedder: Embedder) -> None:
    texts = ["short", "a much longer text about rivers and lakes " * 10, "", "middle sized text"]
    together = embedder.embed(BGE_SMALL, texts)
    for vector, text in zip(together, texts, strict=True):
        assert dot(embedder.embed(BGE_SMALL, [text])[0], vector) > 0.999


def test_no_texts_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed(BGE_SMALL, []) == []


def test_texts_about_the_same_are_nearer(embedder: Embedder) -> None:
    cat, also_cat, rates = embedder.embed(BGE_SMALL, list(NEAR))
    assert dot(cat, also_cat) > dot(cat, rates) + 0.1


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "日本語のテキスト", "😀" * 50, "x" * 100_000, "\x00", "\ufffd", "a\u0301"]
)
def test_any_text_has_a_vector(embedder: Embedder, text: str) -> None:
    (vector,) = embedder.embed(BGE_SMALL, [text])
    assert len(vector) == 384
    assert all(map(math.isfinite, vector))


def test_it_answers_when_asked(embedder: Embedder) -> None:
    embedder.ping()


def test_the_memory_embedder_takes_any_dimensions() -> None:
    (vector,) = MemoryEmbedder().embed(EmbeddingModel(name="any", dimensions=7), ["some words"])
    assert len(vector) == 7


def test_a_model_that_the_server_does_not_have_is_refused(models: Environment) -> None:
    with closing(served(models)) as embedder, pytest.raises(BadModelAnswer):
        embedder.embed(EmbeddingModel(name="other", dimensions=384), ["text"])


def test_dimensions_that_are_not_the_model_s_are_refused(models: Environment) -> None:
    with closing(served(models)) as embedder, pytest.raises(BadModelAnswer, match="384 dimensions"):
        embedder.embed(BGE_SMALL.model_copy(update={"dimensions": 512}), ["text"])
