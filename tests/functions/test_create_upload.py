import hashlib
from datetime import timedelta

import pytest

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


@pytest.mark.parametrize("how", ["form", "direct"])
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("", 422),
        ("a/b.txt", 422),
        ("..", 422),
        ("a\u0007.txt", 422),
        ("x" * 252 + ".txt", 422),
        ("virus.exe", 422),
        ("noextension", 422),
    ],
)
def test_bad_names_are_refused(api, how, name, status):
    if how == "direct" and name in {"", "a\u0007.txt", "noextension"}:
        pytest.skip("a form cannot say this" if name else "no file name: no file")
    collection = api.create_collection()
    path = f"/collections/{collection}"
    body = {"name": name, "size_bytes": 3}
    reply = (
        api("POST", f"{path}/uploads", json=body)
        if how == "form"
        else api.try_upload(collection, b"\x00\x01\x02", name)
    )
    assert reply.status == status, reply.text
    assert api("GET", f"{path}/files").json["items"] == []


@pytest.mark.parametrize("settings", [{"max_file_bytes": 50, "max_upload_bytes": 40}], indirect=True)
def test_too_large_is_413(api):
    collection = api.create_collection()
    assert api.try_upload(collection, TEXT).status == 413
    form = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 51})
    assert (form.status, form.json["type"]) == (413, "urn:modulo:problem:too-large")
    assert api.try_upload(collection, "x" * 200_000).status == 413
    assert api("GET", "/usage").json["storage_bytes"] == 0
