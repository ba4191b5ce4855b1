from tests.functions.conftest import as_user, ingest


def test_a_kept_file_is_downloaded(api, services):
    file = api.keep_file("The sea is deep.")
    reply = api("GET", f"/v1/files/{file}/content")
    assert reply.status == 307
    assert services.blobs.fetch(reply.headers["location"]) == b"The sea is deep."
    assert as_user("bob")("GET", f"/v1/files/{file}/content").status == 404


def test_a_file_of_a_collection_is_downloaded(api, services, collection):
    receipt = api.upload(collection, "The sea is deep.")
    path = f"/v1/files/{receipt['file_id']}/content"
    assert (api("GET", path).status, api("GET", path).json["error"]["code"]) == (409, "conflict")
    assert ingest(api, collection, receipt) == []
    assert services.blobs.fetch(api("GET", path).headers["location"]) == b"The sea is deep."
