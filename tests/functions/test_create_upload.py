import hashlib
from datetime import timedelta

import pytest

from modulo.domain.files.upload import PresignedPost
from tests.functions.conftest import Failing, as_user, deliver_queued, ingest

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


@pytest.mark.parametrize("name", ["", " ", "a\u0007.txt", "a\0", "x" * 300, "a/b"])
def test_a_name_that_no_file_may_have_is_told_before_its_extension(api, collection, name):
    reply = api("POST", f"/collections/{collection}/uploads", json={"name": name, "size_bytes": 3})
    assert [error["field"] for error in reply.json["errors"]] == ["name"]


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
        "duplicate_of": "a.txt",
        "id": receipt["file_id"],
    }
    unknown = {name: value for name, value in body.items() if name != "checksum_sha256"}
    for other in (body | {"on_duplicate": "new"}, unknown):
        reply = api("POST", f"/collections/{collection}/uploads", json=other)
        assert (reply.status, reply.json.get("duplicate_of")) == (201, None)
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


@pytest.mark.parametrize(("role", "stage"), [("viewer", "failed"), (None, "failed"), ("editor", "ready")])
def test_a_form_ends_with_the_membership_of_who_got_it(api, services, role, stage):
    collection = api.create_collection()
    bob = as_user("bob")
    bob.create_collection("his")
    user = bob("GET", "/collections").json["items"][0]["owner_id"]
    member = f"/collections/{collection}/members/{user}"
    assert api("PUT", member, json={"role": "editor"}).status == 200
    body = {"name": "notes.txt", "size_bytes": len(TEXT)}
    ticket = bob("POST", f"/collections/{collection}/uploads", json=body).json
    if role is None:
        assert api("DELETE", member).status == 204
    else:
        assert api("PUT", member, json={"role": role}).status == 200
    services.blobs.post(PresignedPost(**ticket["upload"]), TEXT.encode())
    assert ingest(api, collection, ticket) == []
    found = api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json
    assert found["stage"] == stage
    assert (found.get("problem") or {}).get("code") == (None if stage == "ready" else "revoked-upload")


def test_a_file_of_a_member_who_left_can_be_retried_by_others(api, services):
    collection = api.create_collection()
    bob = as_user("bob")
    bob.create_collection("his")
    user = bob("GET", "/collections").json["items"][0]["owner_id"]
    member = f"/collections/{collection}/members/{user}"
    assert api("PUT", member, json={"role": "editor"}).status == 200
    ticket = bob("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": len(TEXT)}).json
    services.blobs.post(PresignedPost(**ticket["upload"]), TEXT.encode())
    working, services.embedder = services.embedder, Failing()
    for attempt in range(1, 5):
        assert ingest(api, collection, ticket, attempt=attempt) != []
    assert api("DELETE", member).status == 204
    services.embedder = working
    assert api("POST", f"/collections/{collection}/files/{ticket['file_id']}/retry").status == 202
    deliver_queued(services)
    assert api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json["stage"] == "ready"
