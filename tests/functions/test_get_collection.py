from tests.functions.conftest import ingest


def test_status_follows_the_files(api):
    collection = api.create_collection()
    path = f"/collections/{collection}"
    assert api("GET", path).json["status"] == "created"
    good = api.upload(collection, "Water boils at 100 degrees.", "good.txt")
    bad = api.upload(collection, b"%PDF-1.7 cut short", "bad.pdf")
    assert api("GET", path).json["status"] == "processing"
    ingest(api, collection, bad)
    ingest(api, collection, good)
    found = api("GET", path).json
    assert (found["status"], found["files"]) == ("completed", {"ready": 1, "failed": 1})


def test_a_collection_of_failed_files_only_is_in_error(api):
    collection = api.create_collection()
    ingest(api, collection, api.upload(collection, b"%PDF-1.7 cut short", "bad.pdf"))
    assert api("GET", f"/collections/{collection}").json["status"] == "error"
