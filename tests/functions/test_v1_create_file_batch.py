from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.file_batch import BatchDraft
from tests.functions.conftest import as_user, ingest_all, principal_of

COUNTS = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


def create(api, collection, **body):
    return api("POST", f"/v1/vector_stores/{collection}/file_batches", json=body)


def files_of(api, collection, batch, **query):
    path = f"/v1/vector_stores/{collection}/file_batches/{batch['id']}/files"
    return api("GET", path, query={"order": "asc", **query}).json["data"]


def test_files_are_attached_together_and_counted_by_state(api, services, collection):
    ids = [api.keep_file("The sea is deep.", name) for name in ("a.txt", "b.txt")]
    made = create(api, collection, file_ids=ids, attributes={"topic": "sea"})
    assert made.status == 200, made.text
    assert made.json["object"] == "vector_store.files_batch"
    assert (made.json["vector_store_id"], made.json["status"]) == (collection, "in_progress")
    assert made.json["file_counts"] == {**COUNTS, "in_progress": 2, "total": 2}
    ingest_all(api, collection)
    found = api("GET", f"/v1/vector_stores/{collection}/file_batches/{made.json['id']}").json
    assert (found["status"], found["file_counts"]) == ("completed", {**COUNTS, "completed": 2, "total": 2})
    listed = files_of(api, collection, found)
    assert [(file["id"], file["status"]) for file in listed] == [(one, "completed") for one in ids]
    assert [(file["attributes"], file["usage_bytes"]) for file in listed] == [({"topic": "sea"}, 16)] * 2


def test_each_file_has_attributes_of_its_own(api, collection):
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 40}}
    files = [
        {"file_id": api.keep_file("a", "a.txt"), "attributes": {"year": 2026}, "chunking_strategy": chunking},
        {"file_id": api.keep_file("b", "b.txt")},
    ]
    made = create(api, collection, files=files).json
    assert [file["attributes"] for file in files_of(api, collection, made)] == [{"year": 2026}, {}]


def test_a_list_that_another_door_set_is_shown_as_one_text(api, collection):
    file = api.keep_file("The sea is deep.", "sea.txt")
    made = create(api, collection, file_ids=[file]).json
    [copy] = api("GET", f"/collections/{collection}/files").json["items"]
    tags = {"attributes": {"tags": ["sea", "deep"]}}
    assert api("PATCH", f"/collections/{collection}/files/{copy['id']}", json=tags).status == 200
    ingest_all(api, collection)
    (entry,) = files_of(api, collection, made)
    (listed,) = api("GET", f"/v1/vector_stores/{collection}/files").json["data"]
    (found,) = api("POST", f"/v1/vector_stores/{collection}/search", json={"query": "sea"}).json["data"]
    assert entry["attributes"] == listed["attributes"] == found["attributes"] == {"tags": "sea, deep"}


@pytest.mark.parametrize("settings", [{"quotas": {"files": 1}}], indirect=True)
def test_a_file_that_does_not_fit_has_failed_and_leaves_the_others_alone(api, collection):
    ids = [api.keep_file("text", name) for name in ("a.txt", "b.txt")]
    made = create(api, collection, file_ids=ids).json
    assert made["file_counts"] == {**COUNTS, "in_progress": 1, "failed": 1, "total": 2}
    (failed,) = files_of(api, collection, made, filter="failed")
    assert failed["last_error"]["code"] == "server_error"
    assert "quota" in failed["last_error"]["message"].lower()
    assert len(files_of(api, collection, made, filter="in_progress")) == 1


def test_a_batch_of_failures_has_failed(api, services, collection):
    ids = [api.keep_file("text", name) for name in ("a.txt", "b.txt")]
    services.blobs._objects.clear()
    made = create(api, collection, file_ids=ids).json
    assert (made["status"], made["file_counts"]["failed"]) == ("failed", 2)
    assert {file["last_error"]["code"] for file in files_of(api, collection, made)} == {"invalid_file"}


def test_what_was_not_attached_by_the_deadline_has_failed(api, services, clock, collection):
    file, ada = api.keep_file("text"), principal_of("ada")
    draft = BatchDraft(uuid4(), (UUID(file),), clock.now() + timedelta(hours=1))
    services.file_batches.open_batch(ada, UUID(collection), draft, now=clock.now())  # and then the function ended
    batch = {"id": str(draft.id)}
    assert [one["status"] for one in files_of(api, collection, batch)] == ["in_progress"]
    clock.advance(timedelta(hours=1))
    api = as_user("ada")
    (failed,) = files_of(api, collection, batch)
    assert (failed["status"], failed["last_error"]["code"]) == ("failed", "server_error")


def test_a_file_that_fails_later_says_why(api, services, collection):
    file = api.keep_file(b"%PDF-1.7 broken", "broken.pdf")
    made = create(api, collection, file_ids=[file]).json
    ingest_all(api, collection)
    (failed,) = files_of(api, collection, made)
    assert (failed["status"], failed["last_error"]["code"]) == ("failed", "invalid_file")


def test_a_file_that_was_taken_out_again_is_counted_no_longer(api, collection):
    ids = [api.keep_file("text", name) for name in ("a.txt", "b.txt")]
    made = create(api, collection, file_ids=ids).json
    assert api("DELETE", f"/v1/vector_stores/{collection}/files/{ids[0]}").status == 200
    found = api("GET", f"/v1/vector_stores/{collection}/file_batches/{made['id']}").json
    assert found["file_counts"] == {**COUNTS, "in_progress": 1, "total": 1}


def test_a_batch_goes_with_its_collection(api, queues, collection):
    made = create(api, collection, file_ids=[api.keep_file("text")]).json
    assert api("DELETE", f"/collections/{collection}").status == 202
    assert queues.run("purge") == 1
    assert api("GET", f"/v1/vector_stores/{collection}/file_batches/{made['id']}").status == 404


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, "file_ids"),
        ({"file_ids": []}, "file_ids"),
        ({"files": [{"file_id": "FILE"}], "file_ids": ["FILE"]}, "file_ids"),
        ({"files": [{"file_id": "FILE"}], "attributes": {"a": "b"}}, "attributes"),
        ({"files": [{"file_id": "FILE"}], "chunking_strategy": {"type": "auto"}}, "chunking_strategy"),
        ({"file_ids": ["FILE", "FILE"]}, "file_ids"),
        ({"files": [{"file_id": "FILE"}] * 2}, "files"),
        ({"file_ids": ["FILE"] * 2_001}, "file_ids"),
        ({"file_ids": ["FILE"], "attributes": {"a": ["b"]}}, "attributes"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api, collection, more, field):
    file = api.keep_file("text")

    def named(value):
        if isinstance(value, list):
            return [named(one) for one in value]
        if isinstance(value, dict):
            return {name: named(one) for name, one in value.items()}
        return file if value == "FILE" else value

    reply = create(api, collection, **named(more))
    assert (reply.status, reply.json["error"]["param"]) == (400, field), reply.text
    assert api("GET", f"/v1/vector_stores/{collection}/files").json["data"] == []


@pytest.mark.parametrize("place", ["chunking_strategy", "files.chunking_strategy"])
def test_chunks_have_the_sizes_of_the_vector_store(api, collection, place):
    file = api.keep_file("text")
    other = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    body = {"file_ids": [file], "chunking_strategy": other}
    if place.startswith("files"):
        body = {"files": [{"file_id": file, "chunking_strategy": other}]}
    reply = create(api, collection, **body)
    assert (reply.status, reply.json["error"]["param"]) == (400, "chunking_strategy.static")


def test_an_unknown_file_is_told_before_any_is_attached(api, collection):
    ids = [api.keep_file("text"), as_user("bob").keep_file("text")]
    for other in (ids[1], str(uuid4())):
        assert create(api, collection, file_ids=[ids[0], other]).status == 404
    assert api("GET", f"/v1/vector_stores/{collection}/files").json["data"] == []


def test_a_part_that_is_down_fails_the_files_that_it_keeps_back(api, services, collection, monkeypatch):
    def down(*_args, **_more):
        raise Unavailable(dependency="s3")

    file = api.keep_file("text")
    monkeypatch.setattr(services.blobs, "copy", down)
    (failed,) = files_of(api, collection, create(api, collection, file_ids=[file]).json)
    assert failed["last_error"]["code"] == "server_error"
