import pytest

from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.reembeddings import MODELS, TEXTS, answers, built, collection_of, path, space_of, start, sweep
from tests.functions.test_purge import run_purges

pytestmark = pytest.mark.parametrize("settings", [MODELS], indirect=True)


def test_what_was_built_goes(api, services, clock):
    collection = collection_of(api)
    built(api, services, collection)
    assert services.vectors.count(space_of(services, "large")) == 2
    ended = api("DELETE", path(collection)).json
    assert (ended["state"], ended.get("files_total")) == ("cancelled", None)
    sweep(services, clock)
    run_purges(services)
    assert services.vectors.count(space_of(services, "large")) == 0
    assert answers(api, collection)[1] == "small"
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)
    assert api("DELETE", path(collection)).status == 409


def test_what_is_being_built_is_let_go(api, services, clock):
    collection = collection_of(api)
    start(api, collection)
    queued = services.ingests.receive(limit=10, wait_seconds=0)
    api("DELETE", path(collection))
    for delivery in queued:
        assert function("ingest_file").handler({"Records": [record_of(delivery)]}, None) == {"batchItemFailures": []}
    assert services.vectors.count(space_of(services, "large")) == 0


def test_the_way_back_is_given_up(api, services, clock):
    collection = collection_of(api)
    built(api, services, collection)
    api("POST", path(collection, "/switch"), json={})
    ended = api("DELETE", path(collection)).json
    assert (ended["state"], ended.get("rollback_until")) == ("switched", None)
    assert api("POST", path(collection, "/rollback"), json={}).status == 409
    sweep(services, clock)
    run_purges(services)
    assert services.vectors.count(space_of(services, "small")) == 0
    assert services.vectors.count(space_of(services, "large")) == 2


def test_a_deleted_collection_leaves_nothing_anywhere(api, services, clock):
    collection = collection_of(api)
    built(api, services, collection)
    spaces = [space_of(services, model) for model in ("small", "large")]
    assert [services.vectors.count(space) for space in spaces] == [2, 2]
    api("DELETE", f"/collections/{collection}")
    run_purges(services)
    assert [services.vectors.count(space) for space in spaces] == [0, 0]
    sweep(services, clock)
