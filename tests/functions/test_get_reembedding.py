from datetime import timedelta

import pytest

from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.conftest import ingest
from tests.functions.reembeddings import MODELS, collection_of, path, start

pytestmark = pytest.mark.parametrize("settings", [MODELS], indirect=True)


def test_there_is_none_before_the_first(api):
    reply = api("GET", path(api.create_collection()))
    assert (reply.status, reply.json["detail"]) == (404, "The collection was never re-embedded.")


def test_it_tells_when_it_will_be_built(api, services, clock):
    collection = collection_of(api)
    assert start(api, collection).get("estimated_ready_at") is None
    clock.advance(timedelta(minutes=10))
    first, _ = services.ingests.receive(limit=2, wait_seconds=0)
    function("ingest_file").handler({"Records": [record_of(first)]}, None)
    found = api("GET", path(collection)).json
    assert (found["state"], found["files_done"], found["pages_done"], found["pages_total"]) == ("building", 1, 1, 2)
    assert found["estimated_ready_at"] == (clock.now() + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")


def test_an_empty_collection_is_ready_at_once(api):
    assert start(api, api.create_collection())["state"] == "ready"


def test_a_file_that_is_not_found_yet_does_not_count(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "Not ingested yet.")
    assert start(api, collection)["files_total"] == 0
    assert ingest(api, collection, receipt) == []
    assert api("GET", path(collection)).json["files_total"] == 1
