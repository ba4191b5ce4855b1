import hashlib
from datetime import timedelta

import pytest

from tests.functions.conftest import ingest

TEXT = "The Antarctic ice sheet holds about 26.5 million cubic kilometres of ice."


def test_a_form_names_exactly_one_object(api):
    collection = api.create_collection()
    checksum = hashlib.sha256(TEXT.encode()).hexdigest()
    body = {"name": "notes.txt", "size_bytes": len(TEXT), "checksum_sha256": checksum.upper()}
    reply = api("POST", f"/collections/{collection}/uploads", json=body)
    assert reply.status == 201, reply.text
    ticket = reply.json
    assert ticket["status"] == "awaiting_upload"
    assert ticket["file_id"] in ticket["upload"]["fields"]["key"]
    assert ticket["expires_at"] == "2026-03-14T09:45:00Z"


def test_a_lost_form_can_be_asked_for_again(api, clock):
    collection = api.create_collection()
    body = {"name": "notes.txt", "size_bytes": len(TEXT)}
    first = api("POST", f"/collections/{collection}/uploads", json=body).json
    clock.advance(timedelta(minutes=1))
    second = api("POST", f"/collections/{collection}/uploads", json=body).json
    assert (second["file_id"], second["generation"]) == (first["file_id"], 2)
    assert api("GET", "/usage").json["storage_bytes"] == len(TEXT)


SAYABLE = ["a/b.txt", "..", "x" * 252 + ".txt", "virus.exe"]
"""Bad names that a multipart form can carry too."""


@pytest.mark.parametrize("name", [*SAYABLE, "", "a\u0007.txt", "noextension"])
def test_bad_names_are_refused(api, name):
    collection = api.create_collection()
    reply = api("POST", f"/collections/{collection}/uploads", json={"name": name, "size_bytes": 3})
    assert reply.status == 422, reply.text
    assert api("GET", f"/collections/{collection}/files").json["items"] == []


@pytest.mark.parametrize("name", SAYABLE)
def test_bad_names_are_refused_in_a_direct_upload_too(api, name):
    collection = api.create_collection()
    assert api.try_upload(collection, b"\x00\x01\x02", name).status == 422
    assert api("GET", f"/collections/{collection}/files").json["items"] == []


@pytest.mark.parametrize("settings", [{"max_file_bytes": 50, "max_upload_bytes": 40}], indirect=True)
def test_too_large_is_413(api):
    collection = api.create_collection()
    assert api.try_upload(collection, TEXT).status == 413
    form = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 51})
    assert (form.status, form.json["type"]) == (413, "urn:modulo:problem:too-large")
    assert api.try_upload(collection, "x" * 200_000).status == 413
    assert api("GET", "/usage").json["storage_bytes"] == 0


@pytest.mark.parametrize("name", ["a.txt", "b.txt"])
def test_bytes_that_are_there_need_no_form(api, name):
    collection = api.create_collection()
    receipt = api.upload(collection, TEXT, "a.txt")
    checksum = hashlib.sha256(TEXT.encode()).hexdigest()
    body = {"name": name, "size_bytes": len(TEXT), "checksum_sha256": checksum}
    ingest(api, collection, receipt)
    reply = api("POST", f"/collections/{collection}/uploads", json=body)
    assert reply.status == 200
    assert reply.json == {
        "file_id": receipt["file_id"],
        "task_id": receipt["task_id"],
        "status": "ready",
        "generation": 1,
        "upload": None,
        "expires_at": None,
        "duplicate_of": "a.txt",
    }
    unknown = {name: value for name, value in body.items() if name != "checksum_sha256"}
    for other in (body | {"on_duplicate": "new"}, unknown):
        reply = api("POST", f"/collections/{collection}/uploads", json=other)
        assert (reply.status, reply.json["duplicate_of"]) == (201, None)
        assert reply.json["upload"]["url"]


def test_bytes_that_are_awaited_may_be_sent_by_whoever_comes_first(api, clock):
    collection = api.create_collection()
    body = {"size_bytes": len(TEXT), "checksum_sha256": hashlib.sha256(TEXT.encode()).hexdigest()}
    first = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", **body})
    clock.advance(timedelta(minutes=10))
    second = api("POST", f"/collections/{collection}/uploads", json={"name": "b.txt", **body})
    assert (first.status, second.status) == (201, 200)
    assert second.json["duplicate_of"] == "a.txt"
    assert second.json["upload"]["fields"]["key"] == first.json["upload"]["fields"]["key"]
    assert second.json["expires_at"] == "2026-03-14T09:55:00Z"
