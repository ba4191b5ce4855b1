from uuid import uuid4


def test_no_such_conversation_is_not_found(api):
    answer = api("GET", f"/conversations/{uuid4()}")
    assert (answer.status, answer.json["type"]) == (404, "urn:modulo:problem:not-found")
