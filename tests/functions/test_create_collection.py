import pytest

from tests.functions.conftest import as_user


def test_answers_the_collection(api):
    reply = api("POST", "/collections", json={"name": "  papers "})
    assert reply.status == 201
    found = reply.json
    assert found["name"] == "papers"
    assert (found["status"], found["role"], found["version"], found["files"]) == ("created", "owner", 1, {})
    assert found["embedding_model"] == "bge-small-en-v1.5"
    assert found["chunking"] == {"max_tokens": 200, "overlap_tokens": 40}


def test_names_are_unique_for_their_owner(api):
    api.create_collection("papers")
    reply = api("POST", "/collections", json={"name": "Papers"})
    assert (reply.status, reply.json["type"]) == (409, "urn:modulo:problem:conflict")
    assert as_user("ada", "other").create_collection("papers")


def test_nobody_learns_the_names_of_others_collections(api):
    api.create_collection("merger with globex")
    bob = as_user("bob")
    mine = bob.create_collection("Merger with Globex")
    assert bob("PATCH", f"/collections/{mine}", json={"name": "merger with globex"}).status == 200
    assert [found["id"] for found in bob("GET", "/collections").json["items"]] == [mine]


def test_an_idempotency_key_creates_once(api):
    headers = {"idempotency-key": "k1"}
    first = api("POST", "/collections", json={"name": "papers"}, headers=headers)
    again = api("POST", "/collections", json={"name": "papers"}, headers=headers)
    assert first.json == again.json
    other = api("POST", "/collections", json={"name": "different"}, headers=headers)
    assert other.status == 409
    assert len(api("GET", "/collections").json["items"]) == 1


@pytest.mark.parametrize("settings", [{"quotas": {"collections": 2}}], indirect=True)
def test_the_quota_is_429(api):
    api.create_collection("one")
    api.create_collection("two")
    reply = api("POST", "/collections", json={"name": "three"})
    assert (reply.status, reply.json["resource"], reply.json["limit"]) == (429, "collections", 2)
    as_user("bob").create_collection("three")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a", "owner_id": "x"}, "owner_id"),
        ({"name": "a", "embedding_model": "no-such"}, "embedding_model"),
        ({"name": "a", "chunking": {"max_tokens": 8}}, "chunking.max_tokens"),
        ({"name": "a", "chunking": {"max_tokens": 600}}, "chunking.max_tokens"),
        ({"name": "a", "chunking": {"max_tokens": 100, "overlap_tokens": 90}}, "chunking"),
    ],
)
def test_bad_fields_are_named(api, body, field):
    reply = api("POST", "/collections", json=body)
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == [field]
    assert api("GET", "/collections").json["items"] == []
