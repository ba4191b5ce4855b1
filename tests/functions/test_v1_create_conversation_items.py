import pytest


@pytest.fixture
def path(api):
    return f"/v1/conversations/{api('POST', '/v1/conversations', json={}).json['id']}/items"


def test_items_are_added_in_order(api, path):
    items = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": [{"type": "text", "text": "Ada."}]}]
    added = api("POST", path, json={"items": items})
    assert added.status == 200, added.text
    question, answer = added.json["data"]
    assert (added.json["object"], added.json["has_more"]) == ("list", False)
    assert question["content"] == [{"type": "input_text", "text": "Who?"}]
    assert (answer["content"][0]["type"], answer["content"][0]["text"]) == ("output_text", "Ada.")
    assert api("GET", path, query={"order": "asc"}).json["data"] == added.json["data"]


def test_none_or_too_many_are_refused(api, path):
    for items in ([], [{"role": "user", "content": "a"}] * 21):
        assert api("POST", path, json={"items": items}).json["error"]["param"] == "items"


@pytest.mark.parametrize("settings", [{"quotas": {"messages": 2}}], indirect=True)
def test_a_conversation_holds_so_many(api, path):
    full = api("POST", path, json={"items": [{"role": "user", "content": "a"}] * 3})
    assert (full.status, full.json["error"]["code"]) == (429, "insufficient_quota")
    assert api("GET", path).json["data"] == []
