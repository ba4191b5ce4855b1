from datetime import timedelta

import pytest

from modulo.domain.collections.collection import ANALYSIS
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.conftest import DownQueue, Failing, as_user, deliver_queued, ingest
from tests.functions.reembeddings import MODELS, TEXTS, answers, built, collection_of, path, space_of, start, sweep

pytestmark = pytest.mark.parametrize("settings", [MODELS], indirect=True)


def test_searches_see_the_old_index_until_the_switch_and_the_new_one_then(api, services, clock):
    collection = collection_of(api)
    before = answers(api, collection)
    assert (before[1], sorted(before[2])) == ("small", sorted(TEXTS))
    started = start(api, collection, auto_switch=True, chunking={"max_tokens": 64, "overlap_tokens": 0})
    assert (started["state"], started["files_total"], started["files_done"]) == ("building", 2, 0)
    deliver_queued(services)
    found = api("GET", path(collection)).json
    assert (found["state"], found["files_done"], found["chunks"], found["failures"]) == ("ready", 2, 2, [])
    assert answers(api, collection) == before
    sweep(services, clock)
    after = answers(api, collection)
    assert (after[0], after[1], sorted(after[2])) == (before[0] + 1, "large", sorted(TEXTS))
    collected = api("GET", f"/collections/{collection}").json
    assert (collected["embedding_model"], collected["chunking"]["max_tokens"]) == ("large", 64)
    assert api("GET", "/usage").json["storage_bytes"] == sum(map(len, TEXTS.values()))


def test_a_chunking_of_the_same_model_is_told_apart_in_one_place(api, services):
    collection = collection_of(api)
    built(api, services, collection, embedding_model=None, chunking={"max_tokens": 64, "overlap_tokens": 0})
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)
    assert api("POST", path(collection, "/switch"), json={}).status == 200
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)


def test_a_collection_of_before_is_searched_as_it_is_until_it_is_embedded_anew(api, services, monkeypatch):
    """Its index analyses words in the former way; the same model again brings the present one."""
    with monkeypatch.context() as former:
        former.setattr("modulo.settings.ANALYSIS", 1)
        collection = collection_of(api)
    assert space_of(services, None).model.analysis == 1
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)
    built(api, services, collection, embedding_model=None)
    assert api("POST", path(collection, "/switch"), json={}).status == 200
    assert space_of(services, None).model.analysis == ANALYSIS
    assert sorted(answers(api, collection)[2]) == sorted(TEXTS)


def test_what_comes_meanwhile_is_found_at_once_and_in_the_new_index_too(api, services, clock):
    collection = collection_of(api)
    built(api, services, collection)
    new = api.upload(collection, "The tower opens at nine.", "tower.txt")
    assert ingest(api, collection, new) == []
    replaced = api.upload(collection, "The vault opens at midnight.", "vault.txt")
    assert ingest(api, collection, replaced) == []
    bakery = next(f for f in api("GET", f"/collections/{collection}/files").json["items"] if f["name"] == "bakery.txt")
    api("DELETE", f"/collections/{collection}/files/{bakery['id']}")
    assert sorted(answers(api, collection)[2]) == ["tower.txt", "vault.txt"]
    found = api("GET", path(collection)).json
    assert (found["state"], found["files_total"], found["files_done"]) == ("building", 2, 0)
    assert api("POST", path(collection, "/switch"), json={}).status == 409
    sweep(services, clock)
    assert api("POST", path(collection, "/switch"), json={}).status == 200
    _, model, names = answers(api, collection)
    assert (model, sorted(names)) == ("large", ["tower.txt", "vault.txt"])


def test_an_idempotency_key_starts_once(api):
    collection = collection_of(api)
    key = {"idempotency-key": "one"}
    first = api("POST", path(collection), json={"embedding_model": "large"}, headers=key)
    again = api("POST", path(collection), json={"embedding_model": "large"}, headers=key)
    assert (first.status, again.json["started_at"]) == (202, first.json["started_at"])
    assert api("POST", path(collection), json={}).status == 409


def test_a_model_that_is_not_offered_and_chunks_it_would_not_read_are_refused(api):
    collection = collection_of(api)
    for body, field in (
        ({"embedding_model": "none such"}, "embedding_model"),
        ({"embedding_model": ""}, "embedding_model"),
        ({"chunking": {"max_tokens": 1_000}}, "chunking.max_tokens"),
    ):
        reply = api("POST", path(collection), json=body)
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_it_is_the_owners(api, role):
    collection, bob = collection_of(api), as_user("bob")
    api("PUT", f"/collections/{collection}/members/{external_id('modulo', 'user:acme:bob')}", json={"role": role})
    start(api, collection)
    assert bob("GET", path(collection)).json["state"] == "building"
    moves = [("POST", ""), ("POST", "/switch"), ("POST", "/rollback"), ("DELETE", "")]
    assert {bob(method, path(collection, then), json={}).status for method, then in moves} == {403}


def test_without_a_queue_the_sweep_begins(api, services, clock):
    collection = collection_of(api)

    working, services.ingests = services.ingests, DownQueue()
    start(api, collection)
    services.ingests = working
    sweep(services, clock)
    assert api("GET", path(collection)).json["state"] == "ready"


def test_a_file_that_cannot_be_embedded_anew_is_named(api, services, clock):
    collection = collection_of(api)
    working, services.embedder = services.embedder, Failing()
    start(api, collection, auto_switch=True)
    deliveries = services.ingests.receive(limit=10, wait_seconds=0)
    for attempt in range(1, 5):
        for delivery in deliveries:
            record = record_of(delivery)
            record["attributes"]["ApproximateReceiveCount"] = str(attempt)
            function("ingest_file").handler({"Records": [record]}, None)
    services.embedder = working
    found = api("GET", path(collection)).json
    assert (found["state"], found["files_done"]) == ("failed", 0)
    assert [failure["name"] for failure in found["failures"]] == sorted(TEXTS)
    assert {failure["problem"]["code"] for failure in found["failures"]} == {"unavailable"}
    sweep(services, clock, after=timedelta(minutes=1))
    assert answers(api, collection)[1] == "small"


def test_a_dead_letter_of_it_is_retried_from_the_same_bytes(api, services, clock):
    collection = collection_of(api)
    start(api, collection, auto_switch=True)
    for delivery in services.ingests.receive(limit=10, wait_seconds=0):
        assert function("record_dead_letter").handler({"Records": [record_of(delivery)]}, None) == {
            "batchItemFailures": []
        }
    letters = api("GET", f"/collections/{collection}/dead-letters").json["items"]
    assert {(letter["generation"], letter["source"]) for letter in letters} == {(2, 1)}
    assert api("POST", f"/collections/{collection}/dead-letters/retry").status == 202
    deliver_queued(services)
    assert api("GET", path(collection)).json["state"] == "ready"
