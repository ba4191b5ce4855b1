from uuid import uuid4

import pytest

from tests.functions.conftest import as_user


def test_a_conversation_is_shown_as_it_was_begun(api, collection):
    body = {"title": "Leave", "collection_id": collection, "metadata": {"team": "hr"}}
    made = api("POST", "/conversations", json=body)
    assert made.status == 201
    assert {name: made.json[name] for name in body} == body
    assert api("GET", f"/conversations/{made.json['id']}").json == made.json


def test_the_same_key_begins_one(api):
    key = {"idempotency-key": "k"}
    one, same = (api("POST", "/conversations", json={}, headers=key).json["id"] for _ in range(2))
    assert one == same
    assert len(api("GET", "/conversations").json["items"]) == 1


def test_the_key_of_a_deleted_one_begins_none(api):
    headers, path = {"Idempotency-Key": "k1"}, "/conversations"
    made = api("POST", path, json={}, headers=headers).json["id"]
    assert api("DELETE", f"{path}/{made}").status == 202
    again = api("POST", path, json={}, headers=headers)
    assert (again.status, again.json["errors"][0]["field"]) == (409, "Idempotency-Key")
    assert api("DELETE", f"{path}/{made}").status == 202


@pytest.mark.parametrize("settings", [{"quotas": {"conversations": 1}}], indirect=True)
def test_a_user_keeps_so_many(api):
    assert api("POST", "/conversations", json={}).status == 201
    refused = api("POST", "/conversations", json={})
    assert (refused.status, refused.json["resource"]) == (429, "conversations")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a"),
        ({"collection_id": "x"}, "collection_id"),
        ({"user_id": "x"}, "user_id"),
    ],
)
def test_what_is_wrong_is_named(api, body, field):
    refused = api("POST", "/conversations", json=body)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, field)


def test_a_collection_that_nobody_could_ask_in_is_refused_where_it_is_named(api, collection):
    gone = api.create_collection("gone")
    assert api("DELETE", f"/collections/{gone}").status == 202
    kept = api("POST", "/conversations", json={"collection_id": collection}).json["id"]
    for unseen in (as_user("eve", "evil").create_collection(), as_user("bob").create_collection(), gone, str(uuid4())):
        for method, path in (("POST", "/conversations"), ("PATCH", f"/conversations/{kept}")):
            refused = api(method, path, json={"collection_id": unseen, "title": "moved"})
            assert (refused.status, refused.json["errors"][0]["field"]) == (404, "collection_id")
    [held] = api("GET", "/conversations").json["items"]
    assert (held["collection_id"], held["title"]) == (collection, "")
