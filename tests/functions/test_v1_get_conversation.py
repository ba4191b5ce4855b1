from uuid import uuid4


def test_a_conversation_of_either_door_is_shown(api):
    made = api("POST", "/conversations", json={"title": "tides", "metadata": {"a": "b"}}).json
    shown = api("GET", f"/v1/conversations/{made['id']}")
    assert shown.status == 200
    assert (shown.json["id"], shown.json["metadata"]) == (made["id"], {"a": "b"})
    assert api("GET", f"/v1/conversations/{uuid4()}").status == 404
