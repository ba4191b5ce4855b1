from uuid import uuid4

from tests.functions.test_v1_create_response import store, told

__all__ = ["store"]


def test_items_come_in_pages_the_newest_first(api):
    items = [{"role": "user", "content": str(number)} for number in range(5)]
    path = f"/v1/conversations/{api('POST', '/v1/conversations', json={'items': items}).json['id']}/items"
    first = api("GET", path, query={"limit": "2"}).json
    assert [one["content"][0]["text"] for one in first["data"]] == ["4", "3"]
    assert (first["has_more"], first["last_id"]) == (True, first["data"][-1]["id"])
    rest = api("GET", path, query={"after": first["last_id"]}).json
    assert [one["content"][0]["text"] for one in rest["data"]] == ["2", "1", "0"]
    assert rest["has_more"] is False
    unknown = api("GET", f"/v1/conversations/{uuid4()}/items", query={"after": first["last_id"]})
    assert unknown.status == 404


def test_answers_of_both_doors_cite_files(api, store):
    conversation = api("POST", "/conversations", json={"collection_id": store}).json["id"]
    api("POST", f"/conversations/{conversation}/messages", json={"question": "How deep is the sea?"})
    response = told(api, store, "And the hill?", conversation=conversation)
    answers = api("GET", f"/v1/conversations/{conversation}/items").json["data"][::2]
    assert answers[0]["content"] == response["output"][1]["content"]
    [cited] = answers[1]["content"][0]["annotations"]
    assert cited["filename"] == "sea.txt"
    assert answers[1]["content"][0]["text"][cited["index"] :].startswith("[1]")
