def test_a_conversation_goes_with_its_items(api):
    made = api("POST", "/v1/conversations", json={"items": [{"role": "user", "content": "a"}]}).json["id"]
    path = f"/v1/conversations/{made}"
    gone = {"id": made, "object": "conversation.deleted", "deleted": True}
    assert [api("DELETE", path).json for _ in range(2)] == [gone] * 2
    assert [api("GET", path + more).status for more in ("", "/items")] == [404, 404]
