import pytest

from tests.functions.conftest import as_user, ingest_all


def test_a_file_is_attached_under_its_own_id_and_ingested(api, collection):
    file = api.keep_file("The sea is deep.", "sea.txt")
    found = api.attach(collection, file)
    assert (found["id"], found["object"], found["vector_store_id"]) == (file, "vector_store.file", collection)
    assert (found["status"], found["last_error"], found["usage_bytes"]) == ("in_progress", None, 16)
    ingest_all(api, collection)
    assert api("GET", f"/v1/vector_stores/{collection}/files/{file}").json["status"] == "completed"


def test_attaching_it_again_changes_nothing(api, collection):
    file = api.keep_file("text")
    assert api.attach(collection, file) == api.attach(collection, file)
    ingest_all(api, collection)
    assert api.attach(collection, file)["status"] == "completed"
    assert len(api("GET", f"/collections/{collection}/files").json["items"]) == 1


def test_a_file_is_attached_to_several_stores_and_again_after_it_was_taken_out(api, collection):
    file, other = api.keep_file("text"), api.create_collection("other")
    for store in (collection, other):
        assert api.attach(store, file)["id"] == file
    assert api("DELETE", f"/v1/vector_stores/{collection}/files/{file}").status == 200
    assert api("GET", f"/v1/vector_stores/{collection}/files/{file}").status == 404
    assert api("GET", f"/v1/vector_stores/{other}/files/{file}").status == 200
    assert api.attach(collection, file)["status"] == "in_progress"


def test_files_of_one_name_are_numbered(api, collection):
    api.upload(collection, "text", "notes.txt")
    for _ in range(2):
        api.attach(collection, api.keep_file("text", "notes.txt"))
    names = {file["name"] for file in api("GET", f"/collections/{collection}/files").json["items"]}
    assert names == {"notes.txt", "notes (2).txt", "notes (3).txt"}


def test_too_many_files_of_one_name_are_a_conflict(api, collection, monkeypatch):
    monkeypatch.setattr("modulo.usecases.attach_file.MAX_NAMES", 1)
    api.upload(collection, "text", "notes.txt")
    reply = api("POST", f"/v1/vector_stores/{collection}/files", json={"file_id": api.keep_file("text", "notes.txt")})
    assert (reply.status, reply.json["error"]["code"]) == (409, "conflict")


def test_chunks_have_the_sizes_of_the_vector_store(api, collection):
    file, path = api.keep_file("text"), f"/v1/vector_stores/{collection}/files"
    other = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    reply = api("POST", path, json={"file_id": file, "chunking_strategy": other})
    assert (reply.status, reply.json["error"]["param"]) == (400, "chunking_strategy.static")
    assert "200 tokens with 40 overlapping" in reply.json["error"]["message"]
    same = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 40}}
    for strategy in (same, {"type": "auto"}):
        assert api("POST", path, json={"file_id": file, "chunking_strategy": strategy}).status == 200


@pytest.mark.parametrize("settings", [{"quotas": {"files": 0}}], indirect=True)
def test_a_full_collection_takes_no_more(api, collection):
    reply = api("POST", f"/v1/vector_stores/{collection}/files", json={"file_id": api.keep_file("text")})
    assert (reply.status, reply.json["error"]["code"]) == (429, "insufficient_quota")


def test_a_file_of_somebody_else_cannot_be_attached(api, collection):
    file = as_user("bob").keep_file("text")
    assert api("POST", f"/v1/vector_stores/{collection}/files", json={"file_id": file}).status == 404


def test_a_file_whose_object_is_gone_says_so(api, services, collection):
    file = api.keep_file("text")
    services.blobs._objects.clear()
    reply = api("POST", f"/v1/vector_stores/{collection}/files", json={"file_id": file})
    assert (reply.status, reply.json["error"]["code"]) == (400, "lost_file")


def test_attributes_are_given_with_it_and_anew_when_it_is_attached_again(api, collection):
    file = api.keep_file("The sea is deep.", "sea.txt")
    path = f"/v1/vector_stores/{collection}/files"
    for attributes in ({"author": "ada", "year": 2026}, {"author": "bob"}):
        made = api("POST", path, json={"file_id": file, "attributes": attributes})
        assert (made.status, made.json["attributes"]) == (200, attributes)
    assert api("POST", path, json={"file_id": file}).json["attributes"] == {"author": "bob"}
    refused = api("POST", path, json={"file_id": file, "attributes": {"a": ["b"]}})
    assert (refused.status, refused.json["error"]["param"]) == (400, "attributes")
