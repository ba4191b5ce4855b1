from tests.functions.conftest import ingest


def test_a_download_redirects_to_the_object(api):
    collection = api.create_collection()
    receipt = api.upload(collection, "content")
    file = f"/collections/{collection}/files/{receipt['file_id']}"
    ingest(api, collection, receipt)
    reply = api("GET", f"{file}/content")
    assert reply.status == 307
    assert reply.headers["location"] == reply.json["url"]


def test_nothing_to_download_before_the_upload(api):
    collection = api.create_collection()
    ticket = api("POST", f"/collections/{collection}/uploads", json={"name": "a.txt", "size_bytes": 3}).json
    assert api("GET", f"/collections/{collection}/files/{ticket['file_id']}/content").status == 409
