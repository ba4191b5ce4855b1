from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Chunking, EmbeddingModel, Space
from modulo.domain.documents.chunk import Chunk
from modulo.domain.errors import BadModelAnswer, RefusedByModel, RefusedPassage, Throttled
from modulo.domain.files.file import FileRef
from modulo.domain.ingestion.claim import Claim
from modulo.domain.search.cache_entry import CacheEntry
from modulo.usecases.cache_keys import chunk_group, chunk_key
from modulo.usecases.ingest_file.embedding import PROBE, ChunkEmbedding
from modulo.usecases.ingest_file.throttle import AdaptiveThrottle
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_clock import MemoryClock
from tests.doubles.memory_metrics import MemoryMetrics

NOW = datetime(2026, 3, 14, tzinfo=UTC)
REF = FileRef(uuid4(), uuid4(), uuid4(), 1)


def claim_of(ref=REF, **model):
    space = Space(ref.tenant_id, ref.collection_id, uuid4(), EmbeddingModel(name="tiny", dimensions=2, **model), False)
    return Claim(ref, uuid4(), 1, space, Chunking(), "a.txt", "text/plain", 9, None)


class Lengths:
    """Embeds a text as its length; `refuse` says what it will not take."""

    def __init__(self, refuse=lambda texts: None):
        self.refuse = refuse
        self.asked = []

    def embed(self, model, texts):
        self.asked.append(list(texts))
        error = self.refuse(texts)
        if error:
            raise error
        return [[float(len(text)), 0.1] for text in texts]

    @property
    def sizes(self):
        return [len(texts) for texts in self.asked]


class Counting(MemoryCache):
    def __init__(self):
        super().__init__()
        self.gets, self.puts = [], []

    def get(self, keys):
        self.gets.append(len(keys))
        return super().get(keys)

    def put(self, entries):
        self.puts.append(len(entries))
        super().put(entries)


@pytest.fixture
def cache():
    return Counting()


@pytest.fixture
def metrics():
    return MemoryMetrics()


def embedding_of(embedder, cache, metrics, *, claim=None, ttl=60, batch=100):
    clock = MemoryClock(NOW)
    throttle = AdaptiveThrottle(
        1, batch, until=NOW + timedelta(hours=1), clock=clock, keep_alive=lambda: None, keep_alive_seconds=60,
        jitter=lambda low, high: high,
    )  # fmt: skip
    return ChunkEmbedding(claim or claim_of(), embedder, cache, metrics, throttle, ttl)


def chunks(*texts, page=1):
    return [Chunk(number, text, page, 0, len(text)) for number, text in enumerate(texts)]


def firsts(vectors):
    return [vector[0] for vector in vectors]


def test_each_text_is_asked_for_once(cache, metrics):
    model = Lengths()
    embedding = embedding_of(model, cache, metrics)
    assert firsts(embedding.embed(chunks("a", "bb", "a", "ccc"))) == [1, 2, 1, 3]
    assert firsts(embedding.embed(chunks("bb", "dddd", "a"))) == [2, 4, 1]
    assert model.asked == [["a", "bb", "ccc"], ["dddd"]]
    assert (cache.gets, cache.puts) == ([3, 3], [3, 1])
    assert metrics.counts["rag_cache_hits_total", (("kind", "chunk"),)] == 2


def test_a_known_vector_is_the_one_that_was_made(cache, metrics):
    made = embedding_of(Lengths(), cache, metrics).embed(chunks("text"))
    assert embedding_of(Lengths(), cache, metrics).embed(chunks("text")) == made
    assert made != [[4.0, 0.1]]  # 32 bits hold less


def test_headings_count_as_they_are_embedded_too(cache, metrics):
    model = Lengths()
    embedding = embedding_of(model, cache, metrics)
    embedding.embed([Chunk(0, "text", 1, 0, 4, "One"), Chunk(1, "text", 1, 0, 4, "Two")])
    assert model.asked == [["One\ntext", "Two\ntext"]]


@pytest.mark.parametrize(
    "other",
    [
        claim_of(FileRef(uuid4(), REF.collection_id, REF.file_id, 1)),
        claim_of(FileRef(REF.tenant_id, uuid4(), REF.file_id, 1)),
        claim_of(FileRef(REF.tenant_id, REF.collection_id, uuid4(), 1)),
        claim_of(query_prefix="query: "),
    ],
    ids=["tenant", "collection", "file", "model"],
)
def test_nobody_elses_vector_is_used(cache, metrics, other):
    model = Lengths()
    embedding_of(model, cache, metrics).embed(chunks("text"))
    embedding_of(model, cache, metrics, claim=other).embed(chunks("text"))
    assert model.asked == [["text"]] * 2


def test_another_generation_of_the_file_uses_it(cache, metrics):
    model = Lengths()
    embedding_of(model, cache, metrics).embed(chunks("text"))
    later = claim_of(FileRef(REF.tenant_id, REF.collection_id, REF.file_id, 2))
    embedding_of(model, cache, metrics, claim=later).embed(chunks("text"))
    assert model.asked == [["text"]]


@pytest.mark.parametrize("stored", [b"", b"x" * 12, b"\0" * 11])
def test_what_cannot_be_read_is_embedded_anew(cache, metrics, stored):
    cache.put([CacheEntry(chunk_key(claim_of(), "text"), stored, 60)])
    model = Lengths()
    assert firsts(embedding_of(model, cache, metrics).embed(chunks("text"))) == [4]
    assert model.sizes == [1]
    embedding_of(model, cache, metrics).embed(chunks("text"))
    assert model.sizes == [1]


def test_without_a_time_to_live_nothing_is_remembered(cache, metrics):
    model = Lengths()
    for _ in range(2):
        embedding_of(model, cache, metrics, ttl=0).embed(chunks("text"))
    assert (model.sizes, cache.gets) == ([1, 1], [])


@pytest.mark.parametrize("of_file", [True, False])
def test_a_files_vectors_go_with_it_and_with_its_collection(cache, metrics, of_file):
    embedding_of(Lengths(), cache, metrics).embed(chunks("a", "b"))
    sibling = claim_of(FileRef(REF.tenant_id, REF.collection_id, uuid4(), 1))
    embedding_of(Lengths(), cache, metrics, claim=sibling).embed(chunks("a"))
    group = chunk_group(REF.tenant_id, REF.collection_id, REF.file_id if of_file else None)
    assert cache.delete(group) == (2 if of_file else 3)


def test_a_throttled_batch_is_asked_for_in_smaller_ones(cache, metrics):
    left = [Throttled("busy", retry_after=1)] * 2
    model = Lengths(lambda texts: left.pop() if left else None)
    vectors = embedding_of(model, cache, metrics, batch=8).embed(chunks(*("x" * n for n in range(1, 9))))
    assert firsts(vectors) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert model.sizes == [8, 4, 2, 3, 3]
    assert metrics.counts["rag_embedder_throttled_total", ()] == 2
    assert cache.puts == [8]


def test_what_was_embedded_before_it_was_given_up_is_remembered(cache, metrics):
    def busy(texts):
        return Throttled("busy", retry_after=9_999 if len(model.asked) > 2 else 1) if len(model.asked) != 2 else None

    model = Lengths(busy)
    with pytest.raises(Throttled):
        embedding_of(model, cache, metrics, batch=4).embed(chunks("a", "bb", "ccc", "dddd"))
    assert (model.sizes, cache.puts) == ([4, 2, 2], [2])


def bad(*texts, error=None):
    return lambda asked: (error or RefusedByModel("no")) if set(texts) & set(asked) else None


def test_a_refused_passage_is_found_and_named(cache, metrics):
    model = Lengths(bad("evil"))
    with pytest.raises(RefusedPassage) as raised:
        embedding_of(model, cache, metrics).embed([*chunks("a", "b", "c", "d"), *chunks("evil", "e", page=7)])
    assert "page 7, “evil”" in raised.value.detail
    assert model.sizes == [6, 3, 3, 1, 2, 1, 1]
    assert model.asked[-2:] == [["evil"], [PROBE]]
    assert cache.puts == [4]


def test_a_long_one_is_not_quoted_in_full(cache, metrics):
    text = "evil  words\n" * 9
    with pytest.raises(RefusedPassage) as raised:
        embedding_of(Lengths(bad(text)), cache, metrics).embed(chunks(text))
    assert "“evil words evil words evil words evil words evil words evil …”" in raised.value.detail


def test_a_model_that_refuses_everything_is_not_the_files_fault(cache, metrics):
    model = Lengths(lambda texts: RefusedByModel("no such option"))
    with pytest.raises(BadModelAnswer) as raised:
        embedding_of(model, cache, metrics).embed(chunks("a", "b"))
    assert not isinstance(raised.value, RefusedPassage)
    assert model.asked == [["a", "b"], ["a"], [PROBE]]


def test_a_passage_that_is_too_long_is_embedded_by_its_beginning(cache, metrics):
    model = Lengths(lambda texts: RefusedByModel("too long") if max(map(len, texts)) > 40 else None)
    embedding = embedding_of(model, cache, metrics, claim=claim_of(max_tokens=16))
    long = "word " * 20
    assert firsts(embedding.embed([*chunks("a", "b"), *chunks(long, page=3)])) == [1, 1, 25]
    assert embedding.shortened_pages == {3}
    assert cache.puts == [2]  # a vector of less than the text is not its vector


def test_one_that_is_refused_however_short_is_named(cache, metrics):
    model = Lengths(lambda texts: RefusedByModel("no") if texts != [PROBE] else None)
    embedding = embedding_of(model, cache, metrics, claim=claim_of(max_tokens=16))
    with pytest.raises(RefusedPassage):
        embedding.embed(chunks("word " * 20))
    assert [len(texts[0]) for texts in model.asked] == [100, 7, 50, 25, 12]
    assert embedding.shortened_pages == set()


def test_batches_that_are_too_large_get_smaller(cache, metrics):
    model = Lengths(lambda texts: RefusedByModel("too many") if len(texts) > 3 else None)
    embedding = embedding_of(model, cache, metrics)
    assert len(embedding.embed(chunks(*map(str, range(10))))) == 10
    assert model.sizes == [10, 5, 2, 3, 5, 2, 3]
    embedding.embed(chunks(*map(str, range(10, 20))))
    assert model.sizes[7:] == [3, 3, 3, 1]


def test_a_bad_answer_is_asked_for_again_alone(cache, metrics):
    answers = []

    def odd(texts):
        answers.append(texts)
        return BadModelAnswer("The vector is odd.") if "b" in texts and len(texts) > 1 else None

    embedding = embedding_of(Lengths(odd), cache, metrics)
    assert firsts(embedding.embed(chunks("a", "b", "ccc", "dddd"))) == [1, 1, 3, 4]
    assert cache.puts == [4]


def test_a_bad_answer_that_stays_names_the_page(cache, metrics):
    embedding = embedding_of(Lengths(bad("b", error=BadModelAnswer("The vector is odd."))), cache, metrics)
    with pytest.raises(BadModelAnswer, match=r"The vector is odd\. It was asked for a passage on page 5\."):
        embedding.embed([*chunks("a"), *chunks("b", page=5)])


@pytest.mark.parametrize("vector", [[1e300, 0.0], [1.0], [1.0, float("nan")]])
def test_a_vector_that_is_none_is_a_bad_answer(cache, metrics, vector):
    class Odd:
        def embed(self, model, texts):
            return [vector]

    with pytest.raises(BadModelAnswer):
        embedding_of(Odd(), cache, metrics).embed(chunks("a"))
    assert cache.puts == [0]
