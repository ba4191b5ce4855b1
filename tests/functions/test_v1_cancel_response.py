from uuid import uuid4

from tests.functions.test_v1_create_response import store, told

__all__ = ["store"]


def test_a_response_that_was_given_cannot_be_cancelled(api, store):
    first = told(api, store)
    refused = api("POST", f"/v1/responses/{first['id']}/cancel")
    assert (refused.status, refused.json["error"]["type"]) == (400, "invalid_request_error")
    assert "background" in refused.json["error"]["message"]
    assert api("POST", f"/v1/responses/{uuid4()}/cancel").status == 404
