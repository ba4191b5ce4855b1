"""Texts in: each becomes a file, and is read, found and cited as one."""

import hashlib
import json
from urllib.parse import urlsplit

import pytest

from tests.functions.conftest import as_user, ingest

TEXT = "The lighthouse of Tarnby is 41 metres tall."


def add(api, collection, text=TEXT, name="notes.txt", headers=None, **more):
    body = {"name": name, "text": text, **more}
    return api("POST", f"/collections/{collection}/documents", json=body, headers=headers)


def file_of(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def test_a_text_becomes_a_file_that_answers(api, collection):
    reply = add(api, collection, attributes={"department": "harbour"})
    assert (reply.status, reply.json["status"], reply.json["generation"]) == (202, "processing", 1)
    assert ingest(api, collection, reply.json) == []
    file = file_of(api, collection, reply.json)
    assert (file["stage"], file["name"], file["size_bytes"]) == ("ready", "notes.txt", len(TEXT))
    assert file["checksum_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert file["attributes"] == {"department": "harbour"}
    asked = {"question": "How tall is the lighthouse of Tarnby?", "collection_id": collection}
    found = api("POST", "/search", json=asked).json
    assert found["citations"][0]["document_id"] == reply.json["file_id"]


def test_the_document_and_each_passage_have_a_url_that_stays(api, collection):
    text = f"{TEXT} It has 212 steps."
    receipt = add(api, collection, text).json
    ingest(api, collection, receipt)
    url = f"/api/collections/{collection}/files/{receipt['file_id']}/content"
    assert receipt["url"] == file_of(api, collection, receipt)["url"] == url
    found = api(
        "POST", "/search", json={"question": "How tall is the lighthouse of Tarnby?", "collection_id": collection}
    ).json
    assert [document["url"] for document in found["documents"]] == [url]
    passage, citation = found["query_results"][0]["chunk"], found["citations"][0]
    assert passage["url"] == f"{url}#page=1&char=0,{len(text)}"
    start, end = map(int, urlsplit(citation["url"]).fragment.partition("char=")[2].split(","))
    assert text[start:end] == citation["excerpt"] == TEXT
    assert api("GET", urlsplit(url).path.removeprefix("/api")).status == 307
    again = add(api, collection, "It rains.").json
    ingest(api, collection, again)
    assert (again["generation"], again["url"]) == (2, url)


def test_what_is_near_has_a_url_too(api, collection):
    receipt = add(api, collection).json
    ingest(api, collection, receipt)
    found = api("POST", "/search", json={"question": "Who painted it?", "collection_id": collection}).json
    for near in found.get("nearest", []):
        assert near["url"].startswith(f"{receipt['url']}#page=1&char=")


@pytest.mark.parametrize(
    ("name", "text", "media_type"),
    [
        ("guide.md", "# Tides\n\nThey rise.", "text/markdown"),
        ("Meeting of the harbour board", TEXT, "text/plain"),
        ("Letter of Dr. Hall", TEXT, "text/plain"),
        ("minutes 12.5", TEXT, "text/plain"),
        ("page", "<!doctype html><p>Tides rise.</p>", "text/html"),
        ("tides.csv", "port,metres\nTarnby,4\n", "text/csv"),
    ],
)
def test_the_name_says_how_it_is_read(api, collection, name, text, media_type):
    receipt = add(api, collection, text, name).json
    assert ingest(api, collection, receipt) == []
    file = file_of(api, collection, receipt)
    assert (file["name"], file["media_type"], file["stage"]) == (name, media_type, "ready")


def test_the_same_text_is_not_taken_again(api, collection):
    first = add(api, collection).json
    ingest(api, collection, first)
    again = add(api, collection, name="copy.txt")
    assert (again.status, again.json["duplicate_of"], again.json["status"]) == (200, "notes.txt", "ready")
    assert api.try_upload(collection, TEXT, "other.txt").json["duplicate_of"] == "notes.txt"
    assert add(api, collection, name="copy.txt", on_duplicate="new").json["file_id"] != first["file_id"]


def test_an_idempotency_key_adds_once(api, collection):
    first = add(api, collection, headers={"idempotency-key": "k"}).json
    assert add(api, collection, headers={"idempotency-key": "k"}).json == first
    assert len(api("GET", f"/collections/{collection}/files").json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "a.txt"}, 422, "invalid-request"),
        ({"text": TEXT}, 422, "invalid-request"),
        ({"name": "a.txt", "text": ""}, 422, "invalid-request"),
        ({"name": "a.txt", "text": " \n\t"}, 422, "empty-file"),
        ({"name": "a/b.txt", "text": TEXT}, 422, "invalid-request"),
        ({"name": "", "text": TEXT}, 422, "invalid-request"),
        ({"name": "a.pdf", "text": TEXT}, 422, "unsupported-file"),
        ({"name": "a.mp3", "text": TEXT}, 422, "unsupported-file"),
        ({"name": "a.txt", "text": "\x10\x11\x12\x13 abc" * 50}, 422, "unsupported-file"),
        ({"name": "a.txt", "text": TEXT, "attributes": {"a": {}}}, 422, "invalid-request"),
        ({"name": "a.txt", "text": TEXT, "size_bytes": 3}, 422, "invalid-request"),
        ({"name": "a.txt", "text": ["a"]}, 422, "invalid-request"),
    ],
)
def test_what_is_no_document_is_refused_and_leaves_nothing(api, collection, body, status, code):
    reply = api("POST", f"/collections/{collection}/documents", json=body)
    assert (reply.status, reply.json["type"]) == (status, f"urn:modulo:problem:{code}")
    assert api("GET", f"/collections/{collection}/files").json["items"] == []
    assert api("GET", "/usage").json["storage_bytes"] == 0


def test_four_megabytes_fit_as_json_writes_them(api, collection):
    line = 'The "light" of Tarnby — in fog.\n'.encode()
    most = 4 * 1024**2
    text = (line * (most // len(line))).decode()
    body = json.dumps({"name": "long.txt", "text": text}, ensure_ascii=False).replace("\\n", " ")
    path, sent = f"/collections/{collection}/documents", {"content-type": "application/json"}
    assert len(body.encode()) > most
    assert api("POST", path, body=body, headers=sent).status == 202
    over = api("POST", path, json={"name": "longer.txt", "text": "a" * (most + 1)})
    assert (over.status, over.json["type"]) == (413, "urn:modulo:problem:too-large")
    assert str(most) in over.json["detail"]
    far = api("POST", path, json={"name": "longest.txt", "text": "a" * (2 * most)})
    assert (far.status, far.json["type"]) == (413, "urn:modulo:problem:too-large")


@pytest.mark.parametrize("settings", [{"quotas": {"files": 1}}], indirect=True)
def test_it_counts_as_a_file(api, collection):
    assert add(api, collection).status == 202
    reply = add(api, collection, "It rains.", "second.txt")
    assert (reply.status, reply.json["resource"]) == (429, "files")


def test_it_needs_an_editor(api, collection):
    assert add(as_user("bob"), collection).status == 404
