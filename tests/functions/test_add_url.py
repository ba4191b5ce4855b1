"""Addresses in, files out: what is answered at once."""

import pytest

from tests.functions.conftest import as_user

URL = "https://docs.example.org/guide.html"


def add(api, collection, url=URL, **more):
    return api("POST", f"/collections/{collection}/urls", json={"url": url, **more})


def test_an_address_becomes_a_file_that_waits(api, collection, services):
    reply = add(api, collection)
    assert (reply.status, reply.json["status"], reply.json["generation"]) == (202, "processing", 1)
    file = api("GET", f"/collections/{collection}/files/{reply.json['file_id']}").json
    assert (file["name"], file["stage"], file["source_url"]) == ("guide.html", "fetching", URL)
    assert (file["media_type"], file["size_bytes"]) == ("text/html", 0)
    assert (file.get("problem"), file.get("next_attempt_at")) == (None, None)
    assert len(services.fetches.receive(limit=10, wait_seconds=0)) == 1


def test_it_is_listed_and_counted_as_being_fetched(api, collection):
    receipt = add(api, collection).json
    upload = api.upload(collection, "Rain falls.")
    for stage, file in (("fetching", receipt), ("awaiting_upload", upload)):
        page = api("GET", f"/collections/{collection}/files", query={"stage": stage}).json["items"]
        assert [(item["id"], item["stage"]) for item in page] == [(file["file_id"], stage)]
    found = api("GET", f"/collections/{collection}").json
    assert (found["files"], found["status"]) == ({"fetching": 1, "awaiting_upload": 1}, "processing")
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}/content").status == 409


def test_a_name_may_be_given(api, collection):
    reply = add(api, collection, name="manual.pdf")
    file = api("GET", f"/collections/{collection}/files/{reply.json['file_id']}").json
    assert (file["name"], file["media_type"]) == ("manual.pdf", "application/pdf")


@pytest.mark.parametrize("name", [None, "Moon"])
def test_without_an_extension_the_type_shows_later(api, collection, name):
    reply = add(api, collection, "https://en.example.org/wiki/Moon", **({"name": name} if name else {}))
    file = api("GET", f"/collections/{collection}/files/{reply.json['file_id']}").json
    assert (file["name"], file["media_type"]) == ("Moon", "application/octet-stream")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "file:///etc/passwd"}, "refused-url"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "refused-url"),
        ({"url": "http://[::1]/"}, "refused-url"),
        ({"url": "http://localhost:8000/"}, "refused-url"),
        ({"url": "https://me:secret@docs.example.org/"}, "refused-url"),
        ({"url": "https://docs.example.org:8443/"}, "refused-url"),
        ({"url": "not an address"}, "invalid-request"),
        ({"url": "http://[::1"}, "invalid-request"),
        ({"url": ""}, "refused-url"),
        ({"url": 7}, "invalid-request"),
        ({"url": URL, "name": "a/b.html"}, "invalid-request"),
        ({"url": URL, "name": "picture.png"}, "unsupported-file"),
    ],
)
def test_what_may_not_be_fetched_is_refused_at_once(api, collection, services, body, code):
    reply = api("POST", f"/collections/{collection}/urls", json=body)
    assert (reply.status, reply.json["type"]) == (422, f"urn:modulo:problem:{code}")
    assert "secret" not in reply.text
    assert services.fetches.receive(limit=1, wait_seconds=0) == []
    assert api("GET", f"/collections/{collection}/files").json["items"] == []


def test_an_idempotency_key_adds_once(api, collection):
    path, key = f"/collections/{collection}/urls", {"idempotency-key": "k"}
    first = api("POST", path, json={"url": URL}, headers=key).json
    assert api("POST", path, json={"url": URL}, headers=key).json == first
    assert api("POST", path, json={"url": f"{URL}?page=2"}, headers=key).status == 409
    upload = api.try_upload(collection, "text", "other.txt", **key)
    assert upload.json["file_id"] != first["file_id"]


@pytest.mark.parametrize("settings", [{"quotas": {"files": 1}}], indirect=True)
def test_it_counts_as_a_file(api, collection):
    assert add(api, collection).status == 202
    reply = add(api, collection, name="second.html")
    assert (reply.status, reply.json["resource"]) == (429, "files")


def test_pages_of_two_sites_do_not_take_each_others_names(api, collection):
    for host in ("one.example.org", "two.example.org"):
        assert add(api, collection, f"https://{host}/docs/").json["generation"] == 1
    names = {file["name"] for file in api("GET", f"/collections/{collection}/files").json["items"]}
    assert names == {"one.example.org - docs.html", "two.example.org - docs.html"}


def test_it_needs_an_editor(api, collection):
    bob = as_user("bob")
    assert add(bob, collection).status == 404
