from tests.functions.conftest import ingest, ref_of


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


def test_a_download_is_of_the_bytes_that_were_ingested(api, services):
    """A form sent again with other bytes of the same size replaces nothing of a file that is ready."""
    collection = api.create_collection()
    receipt = api.upload(collection, "The vault opens at noon.")
    assert ingest(api, collection, receipt) == []
    file = f"/collections/{collection}/files/{receipt['file_id']}"
    assert services.blobs.fetch(api("GET", f"{file}/content").json["url"]) == b"The vault opens at noon."
    services.blobs.put(ref_of(api, collection, receipt), b"The vault opens at nine.", media_type="text/plain")
    assert ingest(api, collection, receipt) == [], "the event of the second upload"
    reply = api("GET", f"{file}/content")  # the double keeps no versions: the pinned one is gone, and that is said
    assert (reply.status, reply.json["type"]) == (422, "urn:modulo:problem:lost-file")
    assert api("GET", file).json["stage"] == "ready"
