"""Many texts in one request, each with a result of its own."""

import pytest

from modulo.domain.errors import Unavailable
from tests.functions.conftest import as_user, ingest


def add(api, collection, *documents, headers=None):
    path = f"/collections/{collection}/documents/batch"
    return api("POST", path, json={"documents": list(documents)}, headers=headers)


def document(number, **more):
    return {"name": f"note {number}.txt", "text": f"Buoy {number} is {number} metres deep.", **more}


def names_in(api, collection):
    query = {"limit": "100"}
    return {file["name"] for file in api("GET", f"/collections/{collection}/files", query=query).json["items"]}


class Failing:
    """Blobs of which the store takes so many."""

    def __init__(self, blobs, takes):
        self._blobs, self._left = blobs, takes
        self.asked = 0

    def put(self, *args, **more):
        self.asked += 1
        if self._left == 0:
            raise Unavailable("The object store does not answer.")
        self._left -= 1
        self._blobs.put(*args, **more)

    def __getattr__(self, name):
        return getattr(self._blobs, name)


def test_a_hundred_are_taken_in_their_order(api, collection):
    documents = [document(number, attributes={"depth": number}) for number in range(100)]
    reply = add(api, collection, *documents)
    assert (reply.status, reply.json["accepted"], reply.json["failed"]) == (202, 100, 0)
    assert [item["name"] for item in reply.json["items"]] == [one["name"] for one in documents]
    receipt = reply.json["items"][41]["receipt"]
    assert ingest(api, collection, receipt) == []
    file = api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json
    assert (file["name"], file["stage"], file["attributes"]) == ("note 41.txt", "ready", {"depth": 41})
    assert names_in(api, collection) == {one["name"] for one in documents}


def test_one_that_fails_is_named_and_leaves_the_others_alone(api, collection):
    reply = add(api, collection, document(1), document(2, name="two.pdf"), document(3, text=" "), document(4))
    assert (reply.status, reply.json["accepted"], reply.json["failed"]) == (207, 2, 2)
    codes = [item.get("problem", {}).get("code") for item in reply.json["items"]]
    assert codes == [None, "unsupported-file", "empty-file", None]
    assert reply.json["items"][1]["name"] == "two.pdf"
    assert all(("receipt" in item) != ("problem" in item) for item in reply.json["items"])
    assert names_in(api, collection) == {"note 1.txt", "note 4.txt"}


@pytest.mark.parametrize("settings", [{"quotas": {"files": 2, "storage_bytes": 1_000}}], indirect=True)
def test_what_does_not_fit_is_named(api, collection):
    reply = add(api, collection, document(1, text="a" * 2_000), document(2), document(3), document(4))
    assert (reply.status, reply.json["accepted"]) == (207, 2)
    codes = [item.get("problem", {}).get("code") for item in reply.json["items"]]
    assert codes == ["quota-exceeded", None, None, "quota-exceeded"]


def test_a_name_given_twice_is_refused_before_anything_is_kept(api, collection):
    reply = add(api, collection, document(1), document(2), document(3, name="note 1.txt"))
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "documents.2.name")
    composed = add(api, collection, document(1, name="caf\u00e9"), document(2, name="cafe\u0301"))
    assert (composed.status, composed.json["errors"][0]["field"]) == (422, "documents.1.name")
    assert names_in(api, collection) == set()


def test_the_same_bytes_under_two_names_are_kept_once(api, collection):
    reply = add(api, collection, document(1), document(1, name="copy.txt"))
    first, second = (item["receipt"] for item in reply.json["items"])
    assert (reply.status, second["file_id"], second["duplicate_of"]) == (202, first["file_id"], "note 1.txt")


def test_an_idempotency_key_adds_each_once(api, collection):
    key = {"idempotency-key": "k"}
    first = add(api, collection, document(1), document(2), headers=key).json
    assert add(api, collection, document(1), document(2), headers=key).json == first
    ids = [item["receipt"]["file_id"] for item in first["items"]]
    assert len(set(ids)) == 2
    assert len(names_in(api, collection)) == 2


def test_those_behind_a_failing_store_are_named_and_not_tried(api, collection, services):
    services.blobs = failing = Failing(services.blobs, takes=2)
    reply = add(api, collection, *(document(number) for number in range(10)))
    assert (reply.status, reply.json["accepted"], reply.json["failed"]) == (207, 2, 8)
    assert {item["problem"]["code"] for item in reply.json["items"][2:]} == {"unavailable"}
    assert all(item["problem"]["retryable"] for item in reply.json["items"][2:])
    assert failing.asked == 3


def test_where_none_can_be_taken_the_answer_says_why(api, collection, services):
    services.blobs = Failing(services.blobs, takes=0)
    assert add(api, collection, document(1), document(2)).status == 503
    assert add(as_user("bob"), collection, document(1)).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "documents"),
        ({"documents": []}, "documents"),
        ({"documents": [document(number) for number in range(101)]}, "documents"),
        ({"documents": [document(1), {"name": "a.txt"}]}, "documents.1.text"),
        ({"documents": [document(1), "text"]}, "documents.1"),
        ({"documents": [document(1, more=1)]}, "documents.0.more"),
        ({"documents": document(1)}, "documents"),
    ],
)
def test_what_is_no_batch_is_refused_and_leaves_nothing(api, collection, body, field):
    reply = api("POST", f"/collections/{collection}/documents/batch", json=body)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, field)
    assert names_in(api, collection) == set()
