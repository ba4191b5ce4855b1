def test_the_collection_goes_and_the_file_stays(api, collection):
    file = api.keep_file("text")
    api.attach(collection, file)
    reply = api("DELETE", f"/v1/vector_stores/{collection}")
    assert reply.json == {"id": collection, "object": "vector_store.deleted", "deleted": True}
    assert api("GET", f"/v1/vector_stores/{collection}").status == 404
    assert api("GET", f"/v1/files/{file}").status == 200
