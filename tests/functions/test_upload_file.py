import hashlib

import pytest

from tests.functions.conftest import ingest

TEXT = "The Antarctic ice sheet holds about 26.5 million cubic kilometres of ice."


def test_a_small_file_is_taken_at_once(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, TEXT)
    assert receipt["status"] == "processing"
    file = api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json
    assert (file["stage"], file["name"], file["size_bytes"]) == ("awaiting_upload", "notes.txt", len(TEXT))
    assert file["checksum_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()


def test_an_empty_file_is_refused(api):
    collection = api.create_collection()
    reply = api.try_upload(collection, "")
    assert (reply.status, reply.json["type"]) == (422, "urn:modulo:problem:empty-file")


def test_a_form_without_a_file_names_the_field(api):
    collection = api.create_collection()
    form = {"content-type": "multipart/form-data; boundary=b"}
    reply = api("POST", f"/collections/{collection}/files", body=b"--b--\r\n", headers=form)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "file")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("say %22yes%22.txt", 'say "yes".txt'),
        ("100%25 %2522 %20 %0d.txt", "100%25 %2522 %20 %0d.txt"),
        ("Überblick 概要 сводка ملخص सार 🦉.txt", "Überblick 概要 сводка ملخص सार 🦉.txt"),
    ],
)
def test_a_name_in_a_form_is_what_its_sender_calls_the_file(api, sent, kept):
    collection = api.create_collection()
    receipt = api.try_upload(collection, TEXT, sent).json
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["name"] == kept


@pytest.mark.parametrize("sent", ["a%0Ab.txt", "a%0D%0Ab.txt", "%0D.txt"])
def test_a_name_with_a_line_break_is_refused(api, sent):
    reply = api.try_upload(api.create_collection(), TEXT, sent)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "file")


@pytest.mark.parametrize("settings", [{"quotas": {"files": 1, "storage_bytes": 100}}], indirect=True)
def test_quotas_are_429_and_leave_nothing(api):
    collection = api.create_collection()
    api.upload(collection, TEXT)
    files = api.try_upload(collection, TEXT + TEXT, "second.txt")
    assert (files.status, files.json["resource"]) == (429, "files")
    storage = api.try_upload(api.create_collection("other"), TEXT, "third.txt")
    assert (storage.status, storage.json["resource"]) == (429, "storage_bytes")
    assert api("GET", "/usage").json["storage_bytes"] == len(TEXT)


def test_an_idempotency_key_uploads_once(api):
    collection = api.create_collection()
    first = api.try_upload(collection, TEXT, **{"idempotency-key": "k"}).json
    again = api.try_upload(collection, TEXT, **{"idempotency-key": "k"}).json
    assert first == again
    ingest(api, collection, first)
    assert api.try_upload(collection, TEXT, **{"idempotency-key": "k"}).json == first
    assert len(api("GET", f"/collections/{collection}/files").json["items"]) == 1


def test_an_idempotency_key_is_of_one_content(api, collection):
    """What is sent under a key that stands for something else would be lost."""
    key = {"idempotency-key": "k"}
    receipt = api.try_upload(collection, TEXT, **key).json
    assert api.try_upload(collection, f"{TEXT} More.", on_duplicate="new").json["generation"] == 2
    assert api.try_upload(collection, TEXT, **key).json["file_id"] == receipt["file_id"]
    for sent in ("Another text.", TEXT[::-1]):
        reply = api.try_upload(collection, sent, **key)
        assert (reply.status, reply.json["errors"][0]["field"]) == (409, "Idempotency-Key")
    named, form = {"name": "form.txt", "size_bytes": 3}, f"/collections/{collection}/uploads"
    ticket = api("POST", form, json=named, headers=key | {"idempotency-key": "f"}).json
    assert api("POST", form, json=named, headers={"idempotency-key": "f"}).json["file_id"] == ticket["file_id"]
    assert api("POST", form, json=named | {"size_bytes": 4}, headers={"idempotency-key": "f"}).status == 409


def test_the_same_name_again_is_a_new_generation(api):
    collection = api.create_collection()
    first = api.upload(collection, "The launch is on Monday.")
    ingest(api, collection, first)
    second = api.upload(collection, "The launch is on Friday.")
    assert (second["file_id"], second["generation"]) == (first["file_id"], 2)
    question = {"question": "When is the launch?", "collection_id": collection}
    assert "Monday" in api("POST", "/search", json=question).json["query_results"][0]["chunk"]["text"]
    ingest(api, collection, second)
    texts = [r["chunk"]["text"] for r in api("POST", "/search", json=question).json["query_results"]]
    assert texts == ["The launch is on Friday."]


def test_bytes_that_are_there_are_not_taken_again(api, services):
    collection = api.create_collection()
    first = api.upload(collection, TEXT, "a.txt")
    ingest(api, collection, first)
    for name in ("b.txt", "a.txt"):
        reply = api.try_upload(collection, TEXT, name)
        told = {"status": "ready", "duplicate_of": "a.txt"}
        assert (reply.status, reply.json) == (200, first | told)
    assert api("GET", "/usage").json["storage_bytes"] == len(TEXT)
    (file,) = api("GET", f"/collections/{collection}/files").json["items"]
    assert (file["name"], file["aliases"], file["generation"]) == ("a.txt", [], 1)


def test_bytes_on_their_way_are_not_taken_again(api, services):
    collection = api.create_collection()
    first = api.upload(collection, TEXT, "a.txt")
    reply = api.try_upload(collection, TEXT, "b.txt")
    assert (reply.status, reply.json) == (200, first | {"duplicate_of": "a.txt"})
    ingest(api, collection, first)
    assert api("GET", f"/collections/{collection}/files/{first['file_id']}").json["stage"] == "ready"


def test_bytes_that_another_form_waits_for_are_sent_to_it(api, services):
    collection = api.create_collection()
    checksum = hashlib.sha256(TEXT.encode()).hexdigest()
    form = {"name": "a.txt", "size_bytes": len(TEXT), "checksum_sha256": checksum}
    ticket = api("POST", f"/collections/{collection}/uploads", json=form).json
    receipt = api.try_upload(collection, TEXT, "b.txt").json
    assert (receipt["file_id"], receipt["duplicate_of"]) == (ticket["file_id"], "a.txt")
    ingest(api, collection, receipt)
    assert api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json["stage"] == "ready"


def test_an_alias_is_another_name_of_the_file(api, services):
    collection = api.create_collection()
    first = api.upload(collection, TEXT, "a.txt")
    reply = api.try_upload(collection, TEXT, "b.txt", "alias")
    assert (reply.status, reply.json["file_id"]) == (200, first["file_id"])
    assert api("GET", f"/collections/{collection}/files/{first['file_id']}").json["aliases"] == ["b.txt"]
    other = api.try_upload(collection, TEXT + TEXT, "b.txt", "alias")
    assert (other.status, other.json.get("duplicate_of")) == (202, None)
    listed = api("GET", f"/collections/{collection}/files").json["items"]
    assert {file["name"]: file["aliases"] for file in listed} == {"a.txt": [], "b.txt": []}


def test_a_duplicate_is_made_on_purpose(api, services):
    collection = api.create_collection()
    first = api.upload(collection, TEXT, "a.txt")
    ingest(api, collection, first)
    second = api.try_upload(collection, TEXT, "b.txt", "new")
    assert (second.status, second.json.get("duplicate_of")) == (202, None)
    assert second.json["file_id"] != first["file_id"]
    assert api.try_upload(collection, TEXT, "a.txt", "new").json["generation"] == 2


def test_there_is_no_other_way_with_duplicates(api):
    reply = api.try_upload(api.create_collection(), TEXT, "a.txt", "rename")
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "on_duplicate")


@pytest.mark.parametrize(
    ("attributes", "field", "said"),
    [
        ("{", "attributes", "must be valid JSON"),
        ('{"a": 1, "a": 2}', "attributes", "more than once"),
        ("[]", "attributes", "must be an object"),
        ('{"a": null}', "attributes.a", "must be a text, a number"),
        ('{"": "x"}', "attributes.", "as a key, a key has 1 to 64 characters"),
    ],
)
def test_attributes_in_a_form_that_are_none_are_told_in_plain_words(api, collection, attributes, field, said):
    reply = api.try_upload(collection, TEXT, attributes=attributes)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, field)
    assert said in reply.json["detail"]
    assert "Value error" not in reply.text
