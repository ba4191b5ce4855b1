from uuid import uuid4

import pytest

from tests.functions.test_v1_create_response import store, told

__all__ = ["store"]


@pytest.fixture
def response(api, store):
    first = told(api, store)
    said = [{"role": role, "content": f"{role} speaks"} for role in ("system", "user", "assistant")]
    return told(api, store, [*said, {"role": "user", "content": "How high?"}], previous_response_id=first["id"])["id"]


def listed(api, response, **query):
    return api("GET", f"/v1/responses/{response}/input_items", query=query)


def test_only_the_request_s_own_messages_are_listed(api, response):
    newest, *_, oldest = listed(api, response).json["data"]
    assert newest["content"] == [{"type": "input_text", "text": "How high?"}]
    assert (newest["type"], newest["role"], newest["status"]) == ("message", "user", "completed")
    assert oldest["role"] == "system"
    roles = [one["role"] for one in listed(api, response, order="asc").json["data"]]
    assert roles == ["system", "user", "assistant", "user"]


def test_they_come_in_pages(api, response):
    first = listed(api, response, limit="3").json
    assert (first["has_more"], len(first["data"])) == (True, 3)
    assert (first["first_id"], first["last_id"]) == (first["data"][0]["id"], first["data"][2]["id"])
    rest = listed(api, response, limit="3", after=first["last_id"]).json
    assert (rest["has_more"], [one["role"] for one in rest["data"]]) == (False, ["system"])
    wrong = listed(api, response, after=str(uuid4()))
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "after")
