import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileProblem
from modulo.domain.operations.dead_letter import MAX_BODY_CHARACTERS, DeadLetterQuery
from modulo.runtime import dead_letters
from modulo.runtime.worker import function
from tests.functions.conftest import give_up_file, ingest, letters_of, ref_of, replace_metadata, s3_event, sqs_event


class Down:
    """Metadata that do not answer."""

    def __getattr__(self, name):
        def fail(*given, **named):
            raise Unavailable(dependency="postgres")

        return fail


def record_dead_letter(*bodies, **attributes):
    event = sqs_event(*bodies)
    for record in event["Records"]:
        record["attributes"] |= attributes
    return function("record_dead_letter").handler(event, None)["batchItemFailures"]


def buried(services):
    return services.dead_letters.list_all_dead_letters(DeadLetterQuery(99)).items


def test_a_message_that_is_given_up_becomes_a_letter(api, queues, services):
    collection = api.create_collection()
    receipt = give_up_file(api, queues, collection)
    [letter] = letters_of(api, collection)
    assert (letter["file_id"], letter["name"], letter["generation"]) == (receipt["file_id"], "vault.txt", 1)
    assert letter["problem"] == {"code": "unavailable", "detail": "busy", "retryable": True}
    assert (letter["function"], letter["attempts"], letter["state"]) == ("ingest_file", 4, "waiting")
    assert services.metrics.counts["rag_dead_letters_total", ()] == 1
    assert queues.run("ingest_file", "record_dead_letter") == 0, "it is in no queue any more"


def test_a_purge_that_is_given_up_becomes_one_too(api, queues, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "content")
    assert ingest(api, collection, receipt) == []
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    vectors = services.vectors

    class Down:
        def count(self, space, **which):
            raise Unavailable(dependency="milvus")

    services.vectors = Down()
    assert queues.give_up() == 1
    [letter] = letters_of(api, collection)
    assert (letter["function"], letter["file_id"], "generation" in letter) == ("purge", receipt["file_id"], False)
    problem = FileProblem.of(Unavailable(dependency="milvus"))
    assert (letter["problem"], letter["attempts"]) == (problem.model_dump(), 4)
    assert services.metrics.counts["rag_dead_letters_total", ()] == 1
    services.vectors = vectors
    api("POST", f"/collections/{collection}/dead-letters/{letter['id']}/retry")
    assert queues.run("purge") == 1
    assert letters_of(api, collection) == [], "it goes with what is purged"


@pytest.mark.parametrize("killed", [False, True])
def test_a_purge_whose_problem_cannot_be_recorded_is_given_up_all_the_same(api, queues, services, killed):
    collection = api.create_collection()
    receipt = api.upload(collection, "content")
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    restore = replace_metadata(services, lambda _: Down())
    if killed:
        for _ in range(4):
            queues.seconds += 1_000
            assert len(services.purges.receive(limit=9, wait_seconds=0)) == 1
    else:
        queues.give_up()
    restore()
    assert queues.give_up() == 1
    [letter] = letters_of(api, collection)
    assert (letter["function"], letter["problem"]["code"]) == ("purge", "given-up")


def test_an_address_that_was_given_up_is_fetched_again(api, queues, services):
    collection = api.create_collection()
    ref = ref_of(api, collection, api.upload(collection, "content"))
    assert record_dead_letter({"fetch": ref.key}) == []
    [letter] = letters_of(api, collection)
    assert (letter["function"], letter["generation"]) == ("fetch_url", 1)
    assert api("POST", f"/collections/{collection}/dead-letters/retry").json["items"][0]["id"] == letter["id"]
    [delivery] = services.fetches.receive(limit=9, wait_seconds=0)
    assert json.loads(delivery.body) == {"fetch": ref.key}


def test_a_message_that_comes_twice_is_one_letter_and_time_and_queue_are_told(services):
    source = "arn:aws:sqs:us-east-1:000000000000:ingest"
    sent = datetime(2026, 3, 1, 12, 30, 15, 500_000, UTC)
    object.__setattr__(services.settings, "ingest_queue_url", "https://sqs.us-east-1.amazonaws.com/000000000000/ingest")
    told = {"SentTimestamp": str(round(sent.timestamp() * 1000)), "DeadLetterQueueSourceArn": source}
    for _ in range(2):
        assert record_dead_letter("nonsense", **told) == []
    [letter] = buried(services)
    assert (letter.function, letter.sent_at, letter.message_id) == ("ingest_file", sent, "m0")
    assert (letter.body, letter.tenant_id) == ("nonsense", None)
    assert (letter.problem.code, letter.problem.retryable) == ("unreadable-message", False)


@pytest.mark.parametrize("body", ["", "[]", "{", '{"hello": 1}', '{"tenant_id": "x"}', "[" * 100_000])
def test_what_nobody_can_read_is_the_operators(services, body):
    assert record_dead_letter(body) == []
    [letter] = buried(services)
    assert (letter.body, letter.function) == (body[:MAX_BODY_CHARACTERS], None)
    assert letter.problem.code == "unreadable-message"


def test_a_bug_in_reading_keeps_no_message_from_its_burial(services, monkeypatch):
    def broken(message):
        raise TypeError("a bug")

    monkeypatch.setattr(dead_letters, "uploads", broken)
    assert record_dead_letter('{"a": 1}') == []
    assert [letter.problem.code for letter in buried(services)] == ["internal-error"]


def test_a_message_about_two_files_is_a_letter_for_each(api, services):
    first, second = api.create_collection("first"), api.create_collection("second")
    refs = [ref_of(api, at, api.upload(at, "content")) for at in (first, second)]
    assert record_dead_letter(s3_event(*refs)) == []
    found = [letters_of(api, at) for at in (first, second)]
    assert [[letter["file_id"] for letter in each] for each in found] == [[str(ref.file_id)] for ref in refs]


def test_what_names_no_upload_is_no_letter(services):
    assert record_dead_letter({"Event": "s3:TestEvent"}, {"Records": []}) == []
    assert not buried(services)


def test_a_letter_about_an_unknown_file_is_the_operators(services):
    tenant, collection, file = uuid4(), uuid4(), uuid4()
    key = f"tenants/{tenant}/collections/{collection}/files/{file}/1/content"
    assert record_dead_letter({"ingest": key}) == []
    [letter] = buried(services)
    assert (letter.tenant_id, json.loads(letter.body)) == (None, {"ingest": key})


def test_what_cannot_be_recorded_stays_in_its_queue(services):
    replace_metadata(services, lambda _: Down())
    assert record_dead_letter({"hello": 1}, {"hello": 2}) == [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]
