from datetime import timedelta

from tests.functions.conftest import ingest_all, upload_failed


def test_files_are_counted_by_status(api, services, collection):
    api.attach(collection, api.keep_file("The sea is deep."))
    upload_failed(api, services, collection, "vault.txt")
    found = api("GET", f"/v1/vector_stores/{collection}").json
    assert found["file_counts"] == {"in_progress": 1, "completed": 0, "failed": 1, "cancelled": 0, "total": 2}
    assert found["status"] == "in_progress"
    ingest_all(api, collection)
    found = api("GET", f"/v1/vector_stores/{collection}").json
    assert (found["status"], found["file_counts"]["completed"]) == ("completed", 1)


def test_one_that_nobody_used_for_long_is_expired_until_the_sweep_deletes_it(api, clock):
    body = {"name": "papers", "expires_after": {"anchor": "last_active_at", "days": 1}}
    store = api("POST", "/v1/vector_stores", json=body).json["id"]
    assert api("GET", f"/v1/vector_stores/{store}").json["status"] == "completed"
    clock.advance(timedelta(seconds=86_400))
    assert api("GET", f"/v1/vector_stores/{store}").json["status"] == "expired"
