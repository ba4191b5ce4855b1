from tests.functions.test_v1_create_response import conversations, store, told

__all__ = ["store"]


def test_a_response_goes_with_what_it_answers_and_with_the_conversation_that_it_began(api, store):
    first = told(api, store)
    second = told(api, store, "And the hill?", previous_response_id=first["id"])
    gone = api("DELETE", f"/v1/responses/{first['id']}")
    assert gone.json == {"id": first["id"], "object": "response", "deleted": True}
    assert api("GET", f"/v1/responses/{first['id']}").status == 404
    assert [one["message_count"] for one in conversations(api)] == [2]
    assert api("DELETE", f"/v1/responses/{first['id']}").status == 404
    api("DELETE", f"/v1/responses/{second['id']}")
    assert [one["message_count"] for one in conversations(api)] == [0]  # which began with the first


def test_the_only_response_of_a_conversation_takes_it_along(api, store):
    first = told(api, store)
    assert api("DELETE", f"/v1/responses/{first['id']}").status == 200
    assert conversations(api) == []


def test_a_conversation_that_was_created_stays(api, store):
    conversation = api("POST", "/v1/conversations", json={}).json["id"]
    first = told(api, store, conversation=conversation)
    assert api("DELETE", f"/v1/responses/{first['id']}").status == 200
    assert [one["id"] for one in conversations(api)] == [conversation]
