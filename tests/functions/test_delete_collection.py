def test_a_deleted_collection_is_gone_at_once_and_its_name_free(api):
    collection = api.create_collection("papers")
    receipt = api.upload(collection, "content")
    path = f"/collections/{collection}"
    deleted = api("DELETE", path).json
    assert deleted == {"id": collection, "status": "deleting", "deletion_id": deleted["deletion_id"]}
    assert api("GET", path).status == 404
    assert api("GET", f"{path}/files/{receipt['file_id']}").status == 404
    assert api("GET", "/collections").json["items"] == []
    assert api("DELETE", path).status == 202
    assert api.create_collection("papers") != collection
