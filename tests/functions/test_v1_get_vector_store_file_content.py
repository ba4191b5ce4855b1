from tests.functions.conftest import ingest_all


def test_the_text_is_shown_once_the_file_is_ready(api, collection):
    file = api.keep_file("The sea is deep.")
    api.attach(collection, file)
    path = f"/v1/vector_stores/{collection}/files/{file}/content"
    assert (api("GET", path).status, api("GET", path).json["error"]["code"]) == (409, "conflict")
    ingest_all(api, collection)
    found = api("GET", path).json
    assert found["data"] == [{"type": "text", "text": "The sea is deep."}]
    assert found["has_more"] is False
