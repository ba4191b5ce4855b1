import time
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from modulo.domain.errors import NotFound, Throttled, Unavailable, UnsupportedFile
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.runtime.worker import function
from tests.doubles.memory_embedder import MemoryEmbedder
from tests.functions.conftest import Failing, as_user, deliver_queued, ingest, ref_of, s3_event, sqs_event

TEXT = "Rain falls mainly on the plain. " * 100


def stage(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def deliver(*bodies, attempt=1):
    return function("ingest_file").handler(sqs_event(*bodies, attempt=attempt), None)["batchItemFailures"]


def test_duplicates_change_nothing(api, collection):
    receipt = api.upload(collection, TEXT)
    event = s3_event(ref_of(api, collection, receipt))
    assert deliver(event, event) == []
    first = stage(api, collection, receipt)
    assert deliver(event) == []
    assert stage(api, collection, receipt) == first
    assert first["stage"] == "ready"


@pytest.mark.parametrize(
    "body",
    [
        {"Event": "s3:TestEvent", "Service": "Amazon S3"},
        {"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "tenants/x"}}}]},
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "somewhere/else+%C3%A9"}}}]},
        {"Records": []},
    ],
    ids=["test event", "removal", "another object", "no record"],
)
def test_events_that_are_no_uploads_are_passed_over(services, body):
    assert deliver(body) == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"Records": [{}]}', '{"hello": 1}', '{"Records": 7}'])
def test_a_message_that_cannot_be_read_fails_alone(api, collection, body):
    receipt = api.upload(collection, TEXT)
    failed = deliver(body, s3_event(ref_of(api, collection, receipt)))
    assert failed == [{"itemIdentifier": "m0"}]
    assert stage(api, collection, receipt)["stage"] == "ready"


def test_an_object_that_is_gone_is_skipped(api, collection, services):
    ticket = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 3}).json
    assert ingest(api, collection, ticket) == []
    assert stage(api, collection, ticket)["stage"] == "awaiting_upload"


def test_bytes_that_differ_from_the_announced_fail(api, collection, services):
    ticket = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 3}).json
    services.blobs.put(ref_of(api, collection, ticket), b"four", media_type="text/plain")
    assert ingest(api, collection, ticket) == []
    file = stage(api, collection, ticket)
    assert (file["stage"], file["problem"]["code"]) == ("failed", "altered-file")


def test_a_passing_failure_is_tried_again_and_nothing_is_half_written(api, collection, services):
    receipt = api.upload(collection, TEXT)
    working = services.embedder
    services.embedder = Failing(Unavailable("busy", dependency="embedder"))
    assert ingest(api, collection, receipt) == [{"itemIdentifier": "m0"}]
    assert stage(api, collection, receipt)["stage"] != "ready"
    question = {"question": "rain", "collection_id": collection, "config_metadata": {"retrieve_only": True}}
    services.embedder = working
    assert api("POST", "/search", json=question).json["query_results"] == []
    assert ingest(api, collection, receipt, attempt=2) == []
    assert stage(api, collection, receipt)["stage"] == "ready"


@pytest.mark.parametrize(
    "error", [Unavailable("busy", dependency="embedder"), RuntimeError("a bug")], ids=["down", "bug"]
)
def test_the_last_attempt_ends_the_file_as_failed(api, collection, services, error):
    receipt = api.upload(collection, TEXT)
    services.embedder = Failing(error)
    for attempt in range(1, 5):
        assert ingest(api, collection, receipt, attempt=attempt)
    file = stage(api, collection, receipt)
    assert (file["stage"], file["problem"]["retryable"]) == ("failed", True)
    assert "a bug" not in file["problem"]["detail"]


@pytest.mark.parametrize(
    ("error", "code"), [(NotFound(), "lost-file"), (UnsupportedFile("No."), "unsupported-file")], ids=["gone", "no"]
)
def test_what_a_retry_cannot_help_fails_at_once(api, collection, services, error, code):
    receipt = api.upload(collection, TEXT)
    blobs = services.blobs

    class Refusing:
        def open(self, ref, version=None):
            raise error

        def __getattr__(self, name):
            return getattr(blobs, name)

    services.blobs = Refusing()
    assert ingest(api, collection, receipt) == []
    file = stage(api, collection, receipt)
    assert (file["stage"], file["problem"]["code"], file["problem"]["retryable"]) == ("failed", code, False)


def test_verification_catches_a_store_that_lost_chunks(api, collection, services):
    receipt = api.upload(collection, TEXT)
    vectors = services.vectors

    class Losing:
        def upsert(self, space, chunks):
            vectors.upsert(space, chunks[1:])

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Losing()
    assert ingest(api, collection, receipt)
    assert stage(api, collection, receipt)["stage"] != "ready"


def test_delete_during_ingestion_wins(api, collection, services):
    receipt = api.upload(collection, TEXT)
    vectors = services.vectors

    class Deleting:
        def flush(self, space, **how):
            assert api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").status == 202
            vectors.flush(space, **how)

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Deleting()
    assert ingest(api, collection, receipt) == []
    services.vectors = vectors
    ref = ref_of(api, collection, receipt)
    space = services.grants.grant(principal_of(api, services), ref.collection_id).space
    assert vectors.count(space, file_id=ref.file_id) == 0


def test_a_slow_worker_that_was_overtaken_spoils_nothing(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    vectors = services.vectors

    class Overtaken:
        """While this one flushes, its lease ends and another ingests the same generation."""

        def flush(self, space, **how):
            services.vectors = vectors
            clock.advance(timedelta(hours=1))
            assert ingest(api, collection, receipt) == []
            vectors.flush(space, **how)

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Overtaken()
    assert ingest(api, collection, receipt) == []
    file = stage(api, collection, receipt)
    assert file["stage"] == "ready"
    body = {"question": "rain", "collection_id": collection, "config_metadata": {"retrieve_only": True}}
    assert len(api("POST", "/search", json=body).json["query_results"]) == file["chunk_count"]


def test_a_dead_worker_is_taken_over(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    ref = ref_of(api, collection, receipt)
    now = clock.now()
    claim = services.ingestion.claim(
        ref,
        version=services.blobs.info(ref).version,
        now=now,
        lease_until=now + timedelta(seconds=10),
        deadline=now + timedelta(hours=1),
    )
    assert claim
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["stage"] == "parsing"
    clock.advance(timedelta(seconds=20))
    assert function("sweep").handler({}, None)["requeued"] == 1
    [delivery] = services.ingests.receive(limit=10, wait_seconds=0)
    assert deliver(delivery.body) == []
    assert stage(api, collection, receipt)["stage"] == "ready"
    assert not services.ingestion.publish(claim, chunk_count=1, content_hash="late", info=claim_info(), now=clock.now())
    assert stage(api, collection, receipt)["chunk_count"] != 1


@pytest.mark.parametrize("settings", [{"vector_batch_size": 4, "embedding_batch_size": 3}], indirect=True)
def test_long_files_are_written_in_batches(api, collection):
    text = "\n\n".join(f"Paragraph {number}. " + TEXT for number in range(10))
    receipt = api.upload(collection, text)
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["chunk_count"] > 20


@pytest.mark.parametrize("settings", [{"ingest_part_bytes": 20_000, "embedding_batch_size": 16}], indirect=True)
def test_a_part_begins_with_small_batches_and_a_small_file_is_one(api, collection, services, monkeypatch):
    embedder, sizes = services.embedder, []

    def embed(model, texts):
        sizes.append(len(texts))
        return MemoryEmbedder.embed(embedder, model, texts)

    monkeypatch.setattr(embedder, "embed", embed)
    text = "".join(f"Station {number} reports rain at noon.\n\n" for number in range(900))
    assert ingest(api, collection, api.upload(collection, text[:8_000], "small.txt")) == []
    assert len(sizes) == 1
    sizes.clear()
    assert ingest(api, collection, api.upload(collection, text, "large.txt")) == []
    first, *_ = services.ingests.receive(limit=10, wait_seconds=0)
    assert deliver(first.body) == []
    assert sorted(sizes)[:3] == [2, 4, 8]


@pytest.mark.parametrize("settings", [{"max_upload_bytes": 100_000, "max_file_bytes": 10}], indirect=True)
def test_a_limit_that_was_lowered_meanwhile_holds(api, collection):
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["problem"]["code"] == "oversized-file"


def test_bytes_with_another_checksum_fail(api, collection, services):
    body = {"name": "a.txt", "size_bytes": 4, "checksum_sha256": "0" * 64}
    ticket = api("POST", f"/collections/{collection}/uploads", json=body).json
    services.blobs.put(ref_of(api, collection, ticket), b"four", media_type="text/plain")
    assert ingest(api, collection, ticket) == []
    assert stage(api, collection, ticket)["problem"]["code"] == "altered-file"


def test_a_document_that_yields_no_chunk_is_empty(api, collection, services):
    class Blank:
        info = claim_info()
        extent = None

        def parse(self, content):
            return self

        def pages(self, part=None):
            return iter(())

    services.parser_for = lambda media_type: Blank()
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["problem"]["code"] == "empty-file"


def test_what_a_failed_file_leaves_behind_is_left_to_the_purge(api, collection, services):
    vectors = services.vectors

    class Stuck:
        def delete(self, space, **which):
            raise Unavailable("busy", dependency="milvus")

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Stuck()
    receipt = api.upload(collection, " \n", "blank.txt")
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["problem"]["code"] == "empty-file"


def test_a_file_that_is_deleted_while_it_is_parsed_ends_the_run(api, collection, services):
    embedder = services.embedder

    class Deleting:
        def embed(self, model, texts):
            services.files.tombstone_file(caller, UUID(collection), UUID(receipt["file_id"]), now=services.clock.now())
            return embedder.embed(model, texts)

    caller = principal_of(api, services)
    receipt = api.upload(collection, TEXT)
    services.embedder = Deleting()
    assert ingest(api, collection, receipt) == []


def test_a_failure_after_the_claim_was_lost_changes_nothing(api, collection, services, clock):
    receipt = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 3}).json
    blobs = services.blobs
    blobs.put(ref_of(api, collection, receipt), b"four", media_type="text/plain")

    class Slow:
        def open(self, ref, version=None):
            services.blobs = blobs
            clock.advance(timedelta(hours=1))
            assert ingest(api, collection, receipt) == []
            return blobs.open(ref)

        def __getattr__(self, name):
            return getattr(blobs, name)

    services.blobs = Slow()
    assert ingest(api, collection, receipt) == []
    assert stage(api, collection, receipt)["problem"]["code"] == "altered-file"


def test_a_queue_that_cannot_postpone_leaves_it_to_the_visibility_timeout(services):
    class Down:
        def postpone(self, receipt, seconds):
            raise Unavailable(dependency="sqs")

    services.ingests = Down()
    assert deliver("nonsense") == [{"itemIdentifier": "m0"}]


class Watched:
    """A queue that notes how long each delivery is put off."""

    def __init__(self):
        self.pauses = []

    def postpone(self, receipt, seconds):
        self.pauses.append(seconds)


def test_retries_come_later_each_time_and_the_last_delivery_leaves_the_queue_at_once(services):
    services.ingests = Watched()
    for attempt in range(1, 6):
        deliver("nonsense", attempt=attempt)
    first, second, third, last, beyond = services.ingests.pauses
    assert 30 <= first <= 60 <= second <= 120 <= third <= 240
    assert last == 0, "the redrive policy takes it"
    assert beyond >= 480, "where there is no such policy it is not delivered without end"


def test_a_provider_that_is_throttled_says_when_to_come_again(api, collection, services):
    services.embedder = Failing(Throttled("busy", retry_after=300))
    receipt = api.upload(collection, TEXT)
    services.ingests = Watched()
    assert ingest(api, collection, receipt)
    assert 300 <= services.ingests.pauses[0] <= 450


def claim_info():
    from modulo.domain.files.file import DocumentInfo

    return DocumentInfo()


def principal_of(api, services):
    from modulo.runtime.auth import authenticate

    return authenticate(api.headers["authorization"].partition(" ")[2], services=services)


def test_another_user_sees_nothing_of_it(api, collection):
    ingest(api, collection, api.upload(collection, TEXT))
    assert as_user("bob")("GET", f"/collections/{collection}/files").status == 404


@pytest.mark.parametrize("settings", [{"ingest_part_bytes": 100_000}, {"ingest_part_bytes": 1_024}], indirect=True)
def test_bytes_that_came_by_a_form_without_a_checksum_are_known_once_they_are_read(api, services, collection):
    text = "\n\n".join(f"The {number}th vault opens at noon." for number in range(60)).encode()
    asked = {"name": "form.txt", "size_bytes": len(text)}
    ticket = api("POST", f"/collections/{collection}/uploads", json=asked).json
    ref = ref_of(api, collection, ticket)
    services.blobs.put(ref, text, media_type="text/plain")
    assert ingest(api, collection, ticket) == []
    deliver_queued(services)
    file = api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json
    assert (file["stage"], file["checksum_sha256"]) == ("ready", sha256(text).hexdigest())
    assert api.try_upload(collection, text, "again.txt").json["duplicate_of"] == "form.txt"


@pytest.mark.parametrize("settings", [{"ingest_lease_seconds": 1}], indirect=True)
def test_a_lease_is_renewed_while_a_step_takes_long(api, services, clock):
    collection = api.create_collection()
    ref = ref_of(api, collection, api.upload(collection, "Snow fell in July."))
    ada = Principal(ref.tenant_id, external_id("modulo", "user:acme:ada"), frozenset(Scope))
    embedder = services.embedder

    def file():
        return services.files.get_file(ada, ref.collection_id, ref.file_id, fresh=True)

    class Slow:
        def embed(self, model, texts):
            for _ in range(3):
                clock.advance(timedelta(seconds=30))  # far beyond the lease that was taken
                now, until = clock.now(), time.monotonic() + 60
                while file().updated_at < now and time.monotonic() < until:
                    time.sleep(0.02)
                again = {"version": "x", "now": now, "lease_until": now, "deadline": now + timedelta(hours=1)}
                assert services.ingestion.claim(ref, **again) is None
            return embedder.embed(model, texts)

    services.embedder = Slow()
    assert function("ingest_file").handler(sqs_event(s3_event(ref)), None)["batchItemFailures"] == []
    assert file().stage == "ready"


def test_a_retry_reads_the_bytes_that_were_claimed_first(api, collection, services):
    receipt = api.upload(collection, TEXT)
    ref, embedder = ref_of(api, collection, receipt), services.embedder
    services.embedder = Failing(Unavailable("busy"))
    assert ingest(api, collection, receipt) != []
    services.blobs.put(ref, TEXT.replace("a", "e").encode(), media_type="text/plain")
    services.embedder = embedder
    assert ingest(api, collection, receipt, attempt=2) == []
    found = stage(api, collection, receipt)
    assert (found["stage"], found["problem"]["code"]) == ("failed", "lost-file")
