def test_the_copy_goes_and_the_file_stays(api, collection):
    file = api.keep_file("text")
    api.attach(collection, file)
    reply = api("DELETE", f"/v1/vector_stores/{collection}/files/{file}")
    assert reply.json == {"id": file, "object": "vector_store.file.deleted", "deleted": True}
    assert api("GET", f"/v1/vector_stores/{collection}/files").json["data"] == []
    assert api("GET", f"/v1/files/{file}").status == 200
