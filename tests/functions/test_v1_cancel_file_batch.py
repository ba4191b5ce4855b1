from datetime import timedelta
from uuid import UUID, uuid4

from modulo.domain.files.file_batch import BatchDraft
from tests.functions.conftest import ingest, principal_of


def together(api, collection, *names):
    ids = [api.keep_file(f"This is {name}.", name) for name in names]
    made = api("POST", f"/v1/vector_stores/{collection}/file_batches", json={"file_ids": ids}).json
    return ids, f"/v1/vector_stores/{collection}/file_batches/{made['id']}"


def test_what_nobody_has_read_yet_is_taken_out_and_what_was_read_stays(api, queues, collection):
    ids, path = together(api, collection, "a.txt", "b.txt", "c.txt")
    (first,) = (
        file for file in api("GET", f"/collections/{collection}/files").json["items"] if file["name"] == "a.txt"
    )
    assert ingest(api, collection, {"file_id": first["id"], "generation": 1}) == []
    cancelled = api("POST", f"{path}/cancel")
    assert cancelled.status == 200, cancelled.text
    assert cancelled.json["status"] == "cancelled"
    assert cancelled.json["file_counts"] == {"in_progress": 0, "completed": 1, "failed": 0, "cancelled": 2, "total": 3}
    listed = api("GET", f"{path}/files", query={"order": "asc", "filter": "cancelled"}).json["data"]
    assert [file["id"] for file in listed] == ids[1:]
    assert [file["name"] for file in api("GET", f"/collections/{collection}/files").json["items"]] == ["a.txt"]
    assert queues.run("purge") == 2
    assert api("POST", f"{path}/cancel").json == cancelled.json == api("GET", path).json


def test_a_file_that_was_cancelled_may_be_attached_again(api, collection):
    ids, path = together(api, collection, "a.txt")
    assert api("POST", f"{path}/cancel").json["file_counts"]["cancelled"] == 1
    assert api.attach(collection, ids[0])["status"] == "in_progress"
    assert api("GET", path).json["file_counts"]["cancelled"] == 1
    assert api("POST", f"{path}/cancel").status == 200
    assert api("GET", f"/v1/vector_stores/{collection}/files/{ids[0]}").json["status"] == "in_progress"


def test_what_was_never_attached_is_cancelled_too(api, services, clock, collection):
    file, ada = api.keep_file("text"), principal_of("ada")
    draft = BatchDraft(uuid4(), (UUID(file),), clock.now() + timedelta(hours=1))
    services.file_batches.open_batch(ada, UUID(collection), draft, now=clock.now())  # and then the function ended
    reply = api("POST", f"/v1/vector_stores/{collection}/file_batches/{draft.id}/cancel")
    assert (reply.json["status"], reply.json["file_counts"]["cancelled"]) == ("cancelled", 1)


def test_a_copy_that_was_there_before_is_not_the_batch_s_to_take_out(api, collection):
    ids, earlier = together(api, collection, "a.txt")
    body = {"file_ids": [*ids, api.keep_file("This is b.", "b.txt")]}
    made = api("POST", f"/v1/vector_stores/{collection}/file_batches", json=body).json
    cancelled = api("POST", f"/v1/vector_stores/{collection}/file_batches/{made['id']}/cancel").json
    assert cancelled["file_counts"] == {"in_progress": 1, "completed": 0, "failed": 0, "cancelled": 1, "total": 2}
    assert [file["name"] for file in api("GET", f"/collections/{collection}/files").json["items"]] == ["a.txt"]
    assert api("POST", f"{earlier}/cancel").json["file_counts"]["cancelled"] == 1
    assert api("GET", f"/collections/{collection}/files").json["items"] == []


def test_nothing_is_cancelled_of_a_batch_that_is_complete(api, collection):
    _, path = together(api, collection, "a.txt")
    (file,) = api("GET", f"/collections/{collection}/files").json["items"]
    assert ingest(api, collection, {"file_id": file["id"], "generation": 1}) == []
    assert api("POST", f"{path}/cancel").json["status"] == "completed"


def test_an_unknown_batch_is_not_found(api, collection):
    assert api("POST", f"/v1/vector_stores/{collection}/file_batches/{uuid4()}/cancel").status == 404
