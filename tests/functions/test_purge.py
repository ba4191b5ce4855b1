import pytest

from modulo.runtime.queue_consumer import handle
from modulo.runtime.worker import function
from tests.functions.conftest import DownQueue, ingest, ref_of, sqs_event

TEXT = "The archive burned down in 1904."


def run_purges(services):
    deliveries = services.purges.receive(limit=10, wait_seconds=0)
    return sum(handle(function("purge").handler, services.purges, delivery) for delivery in deliveries)


@pytest.fixture
def ready(api):
    collection = api.create_collection()
    receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    return collection, receipt


def test_a_deleted_file_leaves_nothing(api, ready, services):
    collection, receipt = ready
    ref = ref_of(api, collection, receipt)
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    assert services.blobs.info(ref)
    assert run_purges(services) == 1
    assert services.blobs.info(ref) is None
    usage = api("GET", "/usage").json
    assert usage["storage_bytes"] == 0
    assert services.purging.find_purge(ref.tenant_id, ref.collection_id, ref.file_id) is None


def test_a_deleted_collection_leaves_nothing(api, ready, services):
    collection, receipt = ready
    assert api("DELETE", f"/collections/{collection}").status == 202
    assert api("GET", f"/collections/{collection}").status == 404
    assert run_purges(services) == 1
    assert services.blobs.info(ref_of(api, collection, receipt)) is None
    usage = api("GET", "/usage").json
    assert (usage["collections"], usage["storage_bytes"]) == (0, 0)
    assert api.create_collection()


def test_a_replaced_generation_is_removed_and_the_new_one_stays(api, ready, services):
    collection, first = ready
    second = api.upload(collection, "The archive was rebuilt in 1911.")
    ingest(api, collection, second)
    assert run_purges(services) == 1
    assert services.blobs.info(ref_of(api, collection, first)) is None
    assert services.blobs.info(ref_of(api, collection, second))
    assert api("GET", "/usage").json["storage_bytes"] == len("The archive was rebuilt in 1911.")
    found = api("POST", "/search", json={"question": "When was the archive rebuilt?", "collection_id": collection})
    assert "1911" in found.json["answer"]


def test_an_interrupted_purge_goes_on(api, ready, services):
    collection, receipt = ready
    vectors = services.vectors

    class Lagging:
        def count(self, space, **which):
            return 1

        def __getattr__(self, name):
            return getattr(vectors, name)

    services.vectors = Lagging()
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    assert run_purges(services) == 0
    services.vectors = vectors
    body = {
        "tenant_id": str(ref_of(api, collection, receipt).tenant_id),
        "collection_id": collection,
        "file_id": receipt["file_id"],
    }
    assert function("purge").handler(sqs_event(body, body), None) == {"batchItemFailures": []}
    assert services.blobs.info(ref_of(api, collection, receipt)) is None


def test_a_lost_request_is_made_again_by_the_sweep(api, ready, services, clock):
    from datetime import timedelta

    collection, receipt = ready

    working, services.purges = services.purges, DownQueue()
    assert api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").status == 202
    services.purges = working
    clock.advance(timedelta(minutes=5))
    assert function("sweep").handler({}, None)["purges"] == 1
    assert run_purges(services) == 1


@pytest.mark.parametrize("body", ["{}", '{"tenant_id": "x"}', "[]", "nonsense"])
def test_a_message_that_cannot_be_read_fails(services, body):
    assert function("purge").handler(sqs_event(body), None)["batchItemFailures"]
