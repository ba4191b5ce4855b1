"""What ingestion asks the embedder for: throttled, refused, and once more for a file that changed."""

from datetime import timedelta
from uuid import UUID

import pytest

from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled
from modulo.runtime.auth import authenticate
from modulo.runtime.worker import function
from tests.doubles.memory_embedder import MemoryEmbedder
from tests.functions.conftest import NOW, ingest, ref_of, sqs_event

PARAGRAPHS = 1_050


class Asked:
    """An embedder that counts its texts; `answer` may raise before it answers."""

    def __init__(self, answer=lambda texts: None):
        self.texts = []
        self.answer = answer

    def embed(self, model, texts):
        self.answer(texts)
        self.texts += texts
        return MemoryEmbedder().embed(model, texts)


@pytest.fixture
def embedder(services):
    services.embedder = Asked()
    return services.embedder


@pytest.fixture
def collection(api):
    return api.create_collection(chunking={"max_tokens": 32, "overlap_tokens": 0})


def paragraphs(changed=None):
    found = [
        f"Station number {n} reports rain, wind and some hail at noon, and again at six." for n in range(PARAGRAPHS)
    ]
    if changed is not None:
        found[changed] = "The station that stood here was struck by lightning and reports nothing at all."
    return "\n\n".join(found)


def found(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def deletion(api, services, collection, receipt):
    """Deletes the file, from any thread."""
    caller = authenticate(api.headers["authorization"].partition(" ")[2], services=services)
    ids = UUID(collection), UUID(receipt["file_id"])
    return lambda: services.files.tombstone_file(caller, *ids, now=services.clock.now())


def vectors_of(api, services, collection, receipt):
    """Every stored chunk's text and vector."""
    ref = ref_of(api, collection, receipt)
    stored = (kept for space in services.vectors._chunks.values() for kept in space.values())
    return sorted(
        (kept.chunk.number, kept.chunk.text, tuple(kept.vector))
        for kept in stored
        if (kept.ref.file_id, kept.ref.generation) == (ref.file_id, ref.generation)
    )


def test_a_changed_file_embeds_only_what_changed(api, services, collection, embedder):
    first = api.upload(collection, paragraphs())
    assert ingest(api, collection, first) == []
    number = found(api, collection, first)["chunk_count"]
    assert number > 1_000
    assert len(embedder.texts) == len(set(embedder.texts)) == number
    embedder.texts.clear()

    second = api.upload(collection, paragraphs(changed=500))
    assert ingest(api, collection, second) == []
    assert found(api, collection, second)["generation"] == 2
    assert len(embedder.texts) == 1
    assert "lightning" in embedder.texts[0]
    hits = services.metrics.counts["rag_cache_hits_total", (("kind", "chunk"),)]
    assert hits == found(api, collection, second)["chunk_count"] - 1

    other = api.create_collection("clean", chunking={"max_tokens": 32, "overlap_tokens": 0})
    clean = api.upload(other, paragraphs(changed=500))
    assert ingest(api, other, clean) == []
    assert vectors_of(api, services, collection, second) == vectors_of(api, services, other, clean)


def test_an_attempt_after_a_crash_embeds_only_what_is_left(api, services, collection, embedder):
    receipt = api.upload(collection, paragraphs())

    def crash(texts):
        if len(embedder.texts) > 300:
            raise MemoryError

    embedder.answer = crash
    assert ingest(api, collection, receipt)
    before = list(embedder.texts)
    embedder.answer = lambda texts: None
    assert ingest(api, collection, receipt, attempt=2) == []
    assert len(embedder.texts) == len(set(embedder.texts)) == found(api, collection, receipt)["chunk_count"]
    assert len(before) > 300


@pytest.mark.parametrize("request_", ["file", "collection"])
def test_nothing_is_remembered_of_what_is_deleted(api, services, collection, embedder, request_):
    receipt = api.upload(collection, paragraphs())
    assert ingest(api, collection, receipt) == []
    assert len(services.cache._entries) > 1_000
    path = f"/collections/{collection}" + (f"/files/{receipt['file_id']}" if request_ == "file" else "")
    assert api("DELETE", path).status == 202
    (message,) = services.purges.receive(limit=10, wait_seconds=0)
    assert function("purge").handler(sqs_event(message.body), None)["batchItemFailures"] == []
    assert not services.cache._entries


def test_nothing_is_remembered_of_a_file_that_is_deleted_meanwhile(api, services, collection, embedder):
    receipt = api.upload(collection, paragraphs())

    delete = deletion(api, services, collection, receipt)

    def deleting(texts):
        if len(embedder.texts) == 300:
            delete()

    embedder.answer = deleting
    assert ingest(api, collection, receipt) == []
    assert not services.cache._entries


def test_a_cache_that_is_down_costs_nothing_but_its_hits(api, services, collection, embedder):
    class Down:
        def get(self, keys):
            return [None] * len(keys)

        def put(self, entries):
            return None

    services.cache = Down()
    receipt = api.upload(collection, paragraphs())
    assert ingest(api, collection, receipt) == []
    assert found(api, collection, receipt)["stage"] == "ready"


def test_a_throttled_file_takes_longer_and_is_ready(api, services, collection, embedder, clock):
    """A budget of 200 texts a minute, of which the embedder says how long to wait."""
    spent = {"texts": 0, "minute": NOW}

    def meter(texts):
        now = clock.now()
        if now >= spent["minute"] + timedelta(minutes=1):
            spent.update(texts=0, minute=now)
        if spent["texts"] + len(texts) > 200:
            left = spent["minute"] + timedelta(minutes=1) - now
            raise Throttled("busy", retry_after=max(1, int(left.total_seconds())), dependency="embedder")
        spent["texts"] += len(texts)

    embedder.answer = meter
    receipt = api.upload(collection, paragraphs())
    assert ingest(api, collection, receipt) == []
    assert found(api, collection, receipt)["stage"] == "ready"
    assert len(embedder.texts) == len(set(embedder.texts))
    assert timedelta(minutes=5) <= clock.now() - NOW <= timedelta(minutes=12)


def test_while_it_waits_its_lease_is_kept(api, services, collection, embedder, clock):
    receipt = api.upload(collection, "It rains.")
    swept = []

    def busy(texts):
        if not swept:
            swept.append(function("sweep").handler({}, None))
            raise Throttled("busy", retry_after=700, dependency="embedder")
        clock.advance(timedelta(seconds=40))  # long after the first lease, not after the one kept meanwhile
        swept.append(function("sweep").handler({}, None))

    embedder.answer = busy
    assert ingest(api, collection, receipt) == []
    assert [report["requeued"] for report in swept] == [0, 0]
    assert found(api, collection, receipt)["stage"] == "ready"


def test_a_file_that_is_deleted_while_it_waits_ends_the_wait(api, services, collection, embedder, clock):
    receipt = api.upload(collection, "It rains.")

    delete = deletion(api, services, collection, receipt)

    def busy(texts):
        delete()
        raise Throttled("busy", retry_after=700, dependency="embedder")

    embedder.answer = busy
    assert ingest(api, collection, receipt) == []
    assert clock.now() - NOW < timedelta(seconds=1)


@pytest.mark.parametrize("settings", [{"ingest_run_seconds": 60}], indirect=True)
def test_where_there_is_no_time_to_wait_the_queue_delivers_again(api, services, collection, embedder, clock):
    def busy(texts):
        raise Throttled("busy", retry_after=300, dependency="embedder")

    postponed = []

    class Noting:
        def postpone(self, receipt, seconds):
            postponed.append(seconds)

        def __getattr__(self, name):
            return getattr(queue, name)

    queue = services.ingests
    services.ingests = Noting()
    receipt = api.upload(collection, "It rains.")
    embedder.answer = busy
    assert ingest(api, collection, receipt) == [{"itemIdentifier": "m0"}]
    assert found(api, collection, receipt)["stage"] == "queued"
    assert postponed[0] >= 300
    assert clock.now() == NOW
    for attempt in range(2, 5):
        assert ingest(api, collection, receipt, attempt=attempt)
    problem = found(api, collection, receipt)["problem"]
    assert (problem["code"], problem["retryable"]) == ("throttled", True)


def test_a_passage_that_is_refused_is_named(api, services, collection, embedder):
    def refuse(texts):
        if any("number 77 " in text for text in texts):
            raise RefusedByModel("no")

    embedder.answer = refuse
    receipt = api.upload(collection, paragraphs())
    assert ingest(api, collection, receipt) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["problem"]["code"]) == ("failed", "refused-passage")
    assert file["problem"]["retryable"] is False
    assert "page 1, “Station number 77 reports" in file["problem"]["detail"]


def test_a_passage_that_is_too_long_is_found_by_its_beginning_and_told(api, services, embedder):
    def refuse(texts):
        if any(len(text) > 1_200 for text in texts):
            raise RefusedByModel("too long")

    collection = api.create_collection("long", chunking={"max_tokens": 460, "overlap_tokens": 0})
    embedder.answer = refuse
    receipt = api.upload(collection, "Rain falls mainly on the plain. " * 200)
    assert ingest(api, collection, receipt) == []
    file = found(api, collection, receipt)
    assert (file["stage"], file["document"]["shortened_pages"]) == ("ready", [1])


def test_an_embedder_that_gives_nonsense_fails_for_now(api, services, collection, embedder):
    def odd(texts):
        raise BadModelAnswer("The embedder gave 3 dimensions.")

    embedder.answer = odd
    receipt = api.upload(collection, "It rains.")
    for attempt in range(1, 5):
        assert ingest(api, collection, receipt, attempt=attempt)
    problem = found(api, collection, receipt)["problem"]
    assert (problem["code"], problem["retryable"]) == ("bad-model-answer", True)
    assert "page 1" in problem["detail"]
