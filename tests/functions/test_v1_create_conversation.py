import pytest


def create(api, **body):
    return api("POST", "/v1/conversations", json=body)


def test_a_conversation_begins_with_its_items(api):
    items = [{"role": "user", "content": "Hello?"}, {"type": "message", "role": "assistant", "content": "Hello."}]
    made = create(api, items=items, metadata={"topic": "greetings"})
    assert made.status == 200, made.text
    assert (made.json["object"], made.json["metadata"]) == ("conversation", {"topic": "greetings"})
    [known] = api("GET", "/conversations").json["items"]
    assert (known["id"], known["message_count"]) == (made.json["id"], 2)


def test_all_of_it_may_be_left_out(api):
    assert create(api).json["metadata"] == {}
    assert create(api, items=None, metadata=None).status == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"items": [{"role": "user", "content": "a"}] * 21}, "items"),
        ({"items": [{"role": "robot", "content": "a"}]}, "items.0.role"),
        ({"items": [{"type": "function_call", "name": "a"}]}, "items.0.type"),
        ({"metadata": {"a": "b" * 513}}, "metadata.a"),
        ({"title": "a"}, "title"),
    ],
)
def test_what_it_cannot_hold_is_refused_by_name(api, body, param):
    reply = create(api, **body)
    assert (reply.status, reply.json["error"]["param"]) == (400, param), reply.text


@pytest.mark.parametrize("settings", [{"quotas": {"conversations": 1}}], indirect=True)
def test_a_user_keeps_so_many(api):
    assert create(api).status == 200
    assert create(api).json["error"]["code"] == "insufficient_quota"
