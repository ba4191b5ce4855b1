from tests.functions.conftest import ingest, upload_failed


def test_a_file_that_failed_says_why(api, services, collection):
    failed = upload_failed(api, services, collection, "vault.txt")["file_id"]
    found = api("GET", f"/v1/vector_stores/{collection}/files/{failed}").json
    assert (found["status"], found["last_error"]["code"]) == ("failed", "server_error")
    broken = api.upload(collection, b"%PDF-1.7 nothing", "broken.pdf")
    ingest(api, collection, broken)
    found = api("GET", f"/v1/vector_stores/{collection}/files/{broken['file_id']}").json
    assert (found["status"], found["last_error"]["code"]) == ("failed", "invalid_file")
    assert found["last_error"]["message"]
