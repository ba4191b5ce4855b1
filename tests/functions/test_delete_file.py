from tests.functions.conftest import ingest


def test_a_deleted_file_is_gone_from_everything_at_once(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "The vault opens at noon.")
    ingest(api, collection, receipt)
    question = {"question": "When does the vault open?", "collection_id": collection}
    assert api("POST", "/search", json=question).json["query_results"]
    path = f"/collections/{collection}/files/{receipt['file_id']}"
    deleted = api("DELETE", path).json
    assert deleted == {"id": receipt["file_id"], "status": "deleting", "deletion_id": deleted["deletion_id"]}
    assert api("GET", path).status == 404
    assert api("GET", f"{path}/content").status == 404
    found = api("POST", "/search", json=question).json
    assert (found["query_results"], found["metadata"]["found"]) == ([], False)
    again = api("DELETE", path)
    assert (again.status, again.json) == (202, deleted)
