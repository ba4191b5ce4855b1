from datetime import timedelta

from modulo.runtime.worker import function


def test_a_file_that_is_never_uploaded_ends_failed(api, clock):
    collection = api.create_collection()
    ticket = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 3}).json
    sweep = function("sweep").handler
    assert sweep({}, None) == {"failed": 0, "requeued": 0, "purges": 0}
    clock.advance(timedelta(hours=2))
    assert sweep({}, None)["failed"] == 1
    file = api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json
    assert (file["stage"], file["problem"]["retryable"]) == ("failed", True)
    assert api("GET", "/usage").json["storage_bytes"] == 0
