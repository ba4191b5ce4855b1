def test_all_that_arrived_is_removed_and_given_back(api, services, queues):
    upload = api.begin_upload(14)
    assert api.send_part(upload, "The sea").status == 200
    cancelled = api("POST", f"/v1/uploads/{upload}/cancel")
    assert cancelled.status == 200, cancelled.text
    assert (cancelled.json["id"], cancelled.json["status"], cancelled.json["file"]) == (upload, "cancelled", None)
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert queues.run("purge") == 1
    assert services.blobs._objects == {}
    assert api.send_part(upload, "is deep").status == 404
    assert api("POST", f"/v1/uploads/{upload}/cancel").status == 404
