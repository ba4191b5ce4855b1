from uuid import uuid4


def test_an_item_is_shown_in_its_own_conversation_only(api):
    items = [{"role": "user", "content": "Who?"}]
    path, other = (
        f"/v1/conversations/{api('POST', '/v1/conversations', json={'items': items}).json['id']}" for _ in "ab"
    )
    [item] = api("GET", f"{path}/items").json["data"]
    assert api("GET", f"{path}/items/{item['id']}").json == item
    assert api("GET", f"{other}/items/{item['id']}").status == 404
    assert api("GET", f"{path}/items/{uuid4()}").status == 404
