from uuid import uuid4


def test_an_item_is_deleted_and_the_conversation_answered(api):
    items = [{"role": "user", "content": text} for text in ("one", "two")]
    made = api("POST", "/v1/conversations", json={"items": items}).json
    path = f"/v1/conversations/{made['id']}/items"
    newest = api("GET", path).json["data"][0]["id"]
    assert api("DELETE", f"{path}/{newest}").json == made
    assert [one["content"][0]["text"] for one in api("GET", path).json["data"]] == ["one"]
    assert api("DELETE", f"{path}/{newest}").status == 404


def test_an_empty_conversation_has_no_such_item(api):
    made = api("POST", "/v1/conversations", json={}).json
    path = f"/v1/conversations/{made['id']}"
    assert api("DELETE", f"{path}/items/{uuid4()}").status == 404
    assert api("GET", path).json == made
