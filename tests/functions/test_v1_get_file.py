from datetime import timedelta
from uuid import uuid4

from tests.functions.conftest import as_user


def test_a_kept_file_is_shown(api):
    file = api.send_file("text").json
    assert api("GET", f"/v1/files/{file['id']}").json == file


def test_a_file_of_a_collection_is_shown_to_its_members(api, collection):
    file = api.upload(collection, "The sea is deep.", "sea.txt")["file_id"]
    found = api("GET", f"/v1/files/{file}").json
    assert (found["id"], found["filename"], found["bytes"]) == (file, "sea.txt", 16)
    assert as_user("bob")("GET", f"/v1/files/{file}").status == 404


def test_members_see_a_file_by_the_id_of_the_one_that_was_attached(api, collection):
    file, bob = api.keep_file("text"), as_user("bob")
    api.attach(collection, file)
    own = bob.create_collection("own")
    user = bob("GET", f"/collections/{own}/members").json["items"][0]["user_id"]
    assert bob("GET", f"/v1/files/{file}").status == 404
    api("PUT", f"/collections/{collection}/members/{user}", json={"role": "viewer"})
    assert bob("GET", f"/v1/files/{file}").json["id"] == file


def test_an_expired_file_is_gone(api, clock):
    fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = api.keep_file("text", **fields)
    clock.advance(timedelta(seconds=3601))
    assert api("GET", f"/v1/files/{file}").status == 404
    assert api("GET", "/v1/files").json["data"] == []
    assert api("GET", f"/v1/files/{uuid4()}").status == 404
