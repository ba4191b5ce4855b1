from uuid import uuid4

import pytest

from modulo.domain.operations.dead_letter import DeadLetterQuery
from tests.functions.conftest import Failing, give_up_file, letters_of, ref_of


def retry(api, collection, letter):
    return api("POST", f"/collections/{collection}/dead-letters/{letter['id']}/retry")


def test_what_was_given_up_is_tried_once_more_and_its_letter_closes(api, queues, collection):
    receipt = give_up_file(api, queues, collection)
    [letter] = letters_of(api, collection)
    reply = retry(api, collection, letter)
    assert reply.status == 202
    assert reply.json == letter | {"state": "retried", "retried_at": reply.json["retried_at"]}
    assert letters_of(api, collection) == [reply.json]
    assert queues.run("ingest_file") == 1
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "ready"
    [letter] = letters_of(api, collection)
    assert letter["state"] == "closed"
    refused = retry(api, collection, letter)
    assert (refused.status, refused.json["type"]) == (409, "urn:modulo:problem:conflict")


def test_what_dies_again_waits_again_in_place_of_its_first_letter(api, queues, services, collection):
    give_up_file(api, queues, collection)
    [first] = letters_of(api, collection)
    working, services.embedder = services.embedder, Failing()
    assert retry(api, collection, first).status == 202
    assert queues.give_up() == 1
    [second] = letters_of(api, collection)
    assert (second["state"], second.get("retried_at")) == ("waiting", None)
    assert second["id"] != first["id"]
    services.embedder = working
    retry(api, collection, second)
    queues.run("ingest_file")
    assert [letter["state"] for letter in letters_of(api, collection)] == ["closed"]


@pytest.mark.parametrize("end", ["ready", "replaced", "deleted"])
def test_a_redrive_of_what_has_ended_changes_nothing(api, queues, services, collection, end):
    receipt = give_up_file(api, queues, collection)
    ref, path = ref_of(api, collection, receipt), f"/collections/{collection}/files/{receipt['file_id']}"
    [letter] = services.dead_letters.list_all_dead_letters(DeadLetterQuery(9)).items
    request = letter.request(ref.tenant_id, ref.collection_id).body()
    if end == "deleted":
        api("DELETE", path)
    else:
        api("POST", f"{path}/retry") if end == "ready" else api.upload(collection, "New words.", "vault.txt")
        queues.run("ingest_file")
    before = api("GET", path)
    for _ in range(2):
        services.ingests.send(request)
    assert queues.run("ingest_file") == 2
    after = api("GET", path)
    assert {**after.json, "request_id": 0, "trace_id": 0} == {**before.json, "request_id": 0, "trace_id": 0}
    assert queues.give_up() == 0


def test_a_part_is_sent_as_that_part(api, queues, services, collection):
    from modulo.domain.operations.messages import IngestRequest
    from modulo.runtime.worker import function
    from tests.functions.conftest import sqs_event

    ref = ref_of(api, collection, api.upload(collection, "content"))
    body = IngestRequest(ref, 3).body()
    assert function("record_dead_letter").handler(sqs_event(body), None) == {"batchItemFailures": []}
    [letter] = letters_of(api, collection)
    assert letter["part"] == 3
    assert retry(api, collection, letter).status == 202
    [delivery] = services.ingests.receive(limit=9, wait_seconds=0)
    assert delivery.body == '{"ingest": "' + ref.key + '", "part": 3}'


def test_an_unknown_letter_and_one_of_another_collection_are_not_found(api, queues, collection):
    give_up_file(api, queues, collection)
    [letter] = letters_of(api, collection)
    assert retry(api, collection, {"id": uuid4()}).status == 404
    assert retry(api, api.create_collection("other"), letter).status == 404
