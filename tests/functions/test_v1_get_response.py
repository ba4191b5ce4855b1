from uuid import uuid4

from tests.functions.test_v1_create_response import store, told

__all__ = ["store"]


def test_a_response_is_told_again_as_it_was(api, store):
    first = told(api, store, temperature=0.5, max_output_tokens=200, metadata={"a": "b"})
    again = api("GET", f"/v1/responses/{first['id']}")
    assert (again.status, again.json) == (200, first)


def test_an_answer_of_another_door_is_no_response(api, store):
    conversation = api("POST", "/conversations", json={"collection_id": store}).json["id"]
    asked = api("POST", f"/conversations/{conversation}/messages", json={"question": "How deep is the sea?"}).json
    assert api("GET", f"/v1/responses/{asked['answer_id']}").status == 404
    continued = told(api, store, "And the hill?", previous_response_id=asked["answer_id"])
    assert continued["status"] == "completed"
    assert api("GET", f"/conversations/{conversation}").json["message_count"] == 4


def test_what_is_unknown_is_not_found(api):
    assert api("GET", f"/v1/responses/{uuid4()}").status == 404
