def test_a_deleted_conversation_leaves_a_completed_receipt(api):
    made = api("POST", "/conversations", json={"title": "My illness"}).json["id"]
    deleted = api("DELETE", f"/conversations/{made}")
    assert deleted.status == 202
    receipt = api("GET", f"/deletions/{deleted.json['deletion_id']}").json
    assert (receipt["kind"], receipt["state"], receipt["name"]) == ("conversation", "completed", "")
    assert receipt["removed"]["rows"] == {"conversations": 1, "messages": 0}
    assert api("GET", f"/conversations/{made}").status == 404
    assert api("DELETE", f"/conversations/{made}").json == deleted.json
