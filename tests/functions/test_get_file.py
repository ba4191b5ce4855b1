from tests.functions.conftest import ingest


def test_a_ready_file_says_what_it_holds(api):
    collection = api.create_collection()
    receipt = api.upload(collection, "One sentence. Another sentence.")
    assert ingest(api, collection, receipt) == []
    file = api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json
    assert (file["stage"], file["chunk_count"], file["live_generation"], file.get("problem")) == ("ready", 1, 1, None)


def test_a_file_that_cannot_be_read_says_why(api):
    collection = api.create_collection()
    receipt = api.upload(collection, " \n\t ", "blank.txt")
    assert ingest(api, collection, receipt) == []
    file = api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json
    assert file["stage"] == "failed"
    assert file["problem"]["code"] == "empty-file"
    assert file["problem"]["retryable"] is False
    assert "no text" in file["problem"]["detail"]
    assert api("GET", "/usage").json["storage_bytes"] == 0
