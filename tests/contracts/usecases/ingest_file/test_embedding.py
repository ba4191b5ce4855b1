"""Chunks embedded by a provider over HTTP that throttles, limits and refuses."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from modulo.adapters.models.openai_embedder import OpenAIEmbedder
from modulo.domain.collections.collection import Chunking, EmbeddingModel, Space
from modulo.domain.documents.chunk import Chunk
from modulo.domain.errors import BadModelAnswer, RefusedPassage, Throttled, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.ingestion.claim import Claim
from modulo.usecases.ingest_file.embedding import ChunkEmbedding
from modulo.usecases.ingest_file.prefetch import prefetched
from modulo.usecases.ingest_file.throttle import AdaptiveThrottle
from tests.contracts.provider import Answer, Asked, Provider
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_clock import MemoryClock
from tests.doubles.memory_metrics import MemoryMetrics

NOW = datetime(2026, 3, 14, tzinfo=UTC)
MODEL = EmbeddingModel(name="tiny", dimensions=3, max_tokens=64)
BATCH = 16


def lengths(asked: Asked) -> Answer:
    texts = asked.body["input"]
    return Answer({"data": [{"index": i, "embedding": [float(len(text)), 0, 0]} for i, text in enumerate(texts)]})


@contextmanager
def embedding_by(reply: Callable[[Asked], Answer], clock: MemoryClock) -> Iterator[tuple[ChunkEmbedding, Provider]]:
    ref = FileRef(uuid4(), uuid4(), uuid4(), 1)
    space = Space(ref.tenant_id, ref.collection_id, uuid4(), MODEL, dedicated=False)
    claim = Claim(ref, uuid4(), 1, space, Chunking(), "a.txt", "text/plain", 9, None)
    until = clock.now() + timedelta(minutes=10)
    throttle = AdaptiveThrottle(2, BATCH, until=until, clock=clock, keep_alive=lambda: None, keep_alive_seconds=300)
    with (
        Provider(reply) as provider,
        closing(OpenAIEmbedder(provider.url, api_key=None, batch_size=BATCH, timeout=5)) as embedder,
    ):
        yield ChunkEmbedding(claim, embedder, MemoryCache(), MemoryMetrics(), throttle, ttl=60), provider


def chunks(first: int, count: int) -> list[Chunk]:
    texts = [f"text number {n} " + "." * n for n in range(first, first + count)]
    return [Chunk(n, text, n, 0, len(text)) for n, text in enumerate(texts, start=first)]


def embedded(embedding: ChunkEmbedding, batches: list[list[Chunk]]) -> None:
    """Embeds them two at a time and compares every vector with its text."""
    with closing(prefetched(batches, embedding.embed, concurrency=2, stop=embedding.throttle.stop)) as found:
        for batch, vectors in found:
            assert [vector[0] for vector in vectors] == [len(chunk.text) for chunk in batch]


def test_a_provider_that_throttles_gets_everything_in_time() -> None:
    clock = MemoryClock(NOW)
    minutes: dict[int, int] = {}

    def metered(asked: Asked) -> Answer:
        minute = int((clock.now() - NOW).total_seconds()) // 60
        if minutes.get(minute, 0) + len(asked.body["input"]) > 40:
            return Answer({"error": {"code": "rate_limit"}}, status=429, headers={"Retry-After": "20"})
        minutes[minute] = minutes.get(minute, 0) + len(asked.body["input"])
        return lengths(asked)

    with embedding_by(metered, clock) as (embedding, provider):
        embedded(embedding, [chunks(n * BATCH, BATCH) for n in range(10)])
        answered = sum(minutes.values())
    assert answered == 10 * BATCH  # what was taken was never asked for again
    assert clock.now() - NOW >= timedelta(minutes=3)
    assert len(provider.asked) < 60


@pytest.mark.parametrize(("status", "error"), [(429, Throttled), (503, Unavailable), (529, Unavailable)])
def test_a_provider_that_asks_for_too_much_patience_is_given_up(status: int, error: type[Exception]) -> None:
    clock = MemoryClock(NOW)
    busy = Answer(status=status, headers={"Retry-After": "1200"})
    with embedding_by(lambda _: busy, clock) as (embedding, provider), pytest.raises(error) as raised:
        embedded(embedding, [chunks(0, 4)])
    assert raised.value.retry_after >= 1_200  # type: ignore[attr-defined]  # a subclass's attribute
    assert (len(provider.asked), clock.now()) == (1, NOW)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_provider_that_takes_few_texts_gets_few(status: int) -> None:
    def few(asked: Asked) -> Answer:
        return lengths(asked) if len(asked.body["input"]) <= 5 else Answer({"error": {}}, status=status)

    with embedding_by(few, MemoryClock(NOW)) as (embedding, provider):
        embedded(embedding, [chunks(n * BATCH, BATCH) for n in range(6)])
    refused = [asked for asked in provider.asked if len(asked.body["input"]) > 5]
    assert len(refused) <= 6  # of the first two batches, which are under way together


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_text_that_is_refused_is_found(status: int) -> None:
    def picky(asked: Asked) -> Answer:
        bad = any(text.startswith("text number 11 ") for text in asked.body["input"])
        return Answer({"error": {"message": "text number 11"}}, status=status) if bad else lengths(asked)

    with (
        embedding_by(picky, MemoryClock(NOW)) as (embedding, provider),
        pytest.raises(RefusedPassage, match="page 11, “text number 11"),
    ):
        embedded(embedding, [chunks(0, BATCH)])
    assert len(provider.asked) < 16


def test_one_text_that_is_too_long_is_embedded_by_its_beginning() -> None:
    def short(asked: Asked) -> Answer:
        if max(map(len, asked.body["input"])) > 60:
            return Answer({"error": {"code": "context_length_exceeded"}}, status=400)
        return lengths(asked)

    long = Chunk(3, "word " * 60, 9, 0, 300)
    with embedding_by(short, MemoryClock(NOW)) as (embedding, _):
        vectors = embedding.embed([*chunks(0, 3), long])
    assert [vector[0] for vector in vectors][-1] == 37
    assert embedding.shortened_pages == {9}


def test_one_vector_that_is_no_number_is_asked_for_again_alone() -> None:
    def odd(asked: Asked) -> Answer:
        texts = asked.body["input"]
        if len(texts) > 1 and any(text.startswith("text number 2 ") for text in texts):
            return Answer(b'{"data": [{"index": 0, "embedding": [NaN, 0, 0]}]}')
        return lengths(asked)

    with embedding_by(odd, MemoryClock(NOW)) as (embedding, _):
        embedded(embedding, [chunks(0, 4)])


@pytest.mark.parametrize("status", [404, 405, 400])
def test_a_provider_that_knows_nothing_of_it_is_not_the_files_fault(status: int) -> None:
    answer = Answer({"error": {"code": "model_not_found"}}, status=status)
    with embedding_by(lambda _: answer, MemoryClock(NOW)) as (embedding, _), pytest.raises(BadModelAnswer):
        embedded(embedding, [chunks(0, BATCH)])
