"""What holds for every route, by construction: a route that is added is tested here without a line more."""

import re
from uuid import UUID, uuid4

import pytest

from modulo.domain.tenancy.identity import Scope
from tests.functions.conftest import Api, Route, as_user, ingest, invoke, record_dead_letter_about, ref_of, routes

OPEN = {"health"}
SEARCHES = {"search", "stream_search"}
"""What names its collection in the body."""
READS = {*SEARCHES, "v1_create_chat_completion", "v1_search_vector_store", "v1_create_embedding"}
"""What is asked for by POST, and needs no right to write."""
BODIES = {
    "v1_create_vector_store": {"name": "stolen"},
    "v1_update_vector_store": {"name": "stolen"},
    "v1_search_vector_store": {"query": "What?"},
    "v1_create_upload": {"filename": "a.txt", "purpose": "assistants", "bytes": 3, "mime_type": "text/plain"},
    "v1_complete_upload": {"part_ids": [str(UUID(int=1))]},
    "v1_create_file_batch": {"file_ids": [str(UUID(int=1))]},
    "v1_create_vector_store_file": {"file_id": str(UUID(int=1))},
    "v1_update_vector_store_file": {"attributes": {"stolen": True}},
    "v1_create_chat_completion": {"model": "modulo/none", "messages": [{"role": "user", "content": "What?"}]},
    "v1_create_response": {"model": "modulo/none", "input": "What?"},
    "v1_create_conversation": {"metadata": {"topic": "stolen"}},
    "v1_update_conversation": {"metadata": {"topic": "stolen"}},
    "v1_create_conversation_items": {"items": [{"role": "user", "content": "What?"}]},
    "v1_create_embedding": {"input": "What?", "model": "bge-small-en-v1.5"},
    "add_document": {"name": "stolen.txt", "text": "content"},
    "add_documents": {"documents": [{"name": "stolen.txt", "text": "content"}]},
    "add_url": {"url": "https://docs.example.org/stolen.txt"},
    "create_collection": {"name": "stolen"},
    "create_conversation": {"title": "stolen"},
    "update_conversation": {"title": "stolen"},
    "ask_conversation": {"question": "What?"},
    "stream_conversation": {"question": "What?"},
    "rate_answer": {"rating": "up"},
    "update_collection": {"name": "stolen"},
    "update_file": {"attributes": {"stolen": True}},
    "create_upload": {"name": "a.txt", "size_bytes": 3},
    "set_member": {"role": "viewer"},
    "start_reembedding": {},
    "switch_reembedding": {},
    "roll_back_reembedding": {},
}
GUARDED = [route for route in routes() if route.function not in OPEN]


def call(api: Api, route: Route, collection_id: str, file_id: str, **others: UUID | str):
    ids = {
        "collection_id": collection_id,
        "file_id": file_id,
        "alias": "a.txt",
        "user_id": uuid4(),
        "deletion_id": uuid4(),
        "letter_id": uuid4(),
        "vector_store_id": collection_id,
        "model": f"modulo/{collection_id}",
        "conversation_id": uuid4(),
        "message_id": uuid4(),
        "item_id": uuid4(),
        "response_id": uuid4(),
        "batch_id": uuid4(),
        "upload_id": uuid4(),
    }
    ids |= others
    path = route.path.replace(":path}", "}").format(**ids)
    if route.function == "upload_file":
        return api.try_upload(collection_id, "content")
    if route.function == "v1_create_file":
        return api.send_file("content")
    if route.function == "v1_add_upload_part":
        return api.send_part(str(ids["upload_id"]), "content")
    body = BODIES.get(route.function)
    if route.function in SEARCHES:
        body = {"question": "What?", "collection_id": collection_id}
    return api(route.method, path, json=body)


def talk(api: Api, collection: str) -> tuple[str, str]:
    """A conversation with an answer, and that answer."""
    conversation = api("POST", "/conversations", json={"collection_id": collection}).json["id"]
    asked = api("POST", f"/conversations/{conversation}/messages", json={"question": "What is the mass of the moon?"})
    assert asked.status == 200, asked.text
    return conversation, asked.json["answer_id"]


def attach_together(api: Api, collection: str) -> str:
    """A batch of one file."""
    path, body = f"/v1/vector_stores/{collection}/file_batches", {"file_ids": [api.keep_file("content")]}
    reply = api("POST", path, json=body)
    assert reply.status == 200, reply.text
    return str(reply.json["id"])


def respond(api: Api, collection: str) -> str:
    """A stored response."""
    reply = api("POST", "/v1/responses", json={"model": collection, "input": "What is the mass of the moon?"})
    assert reply.status == 200, reply.text
    return str(reply.json["id"])


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.function)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic bW9kOm1vZA=="},
        {"authorization": "Bearer mod_unknown"},
        {"x-api-key": "mod_unknown"},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJ0ZW5hbnQiOiJhY21lIn0."},
        {"authorization": "Bearer " + "x" * 20_000},
    ],
    ids=["none", "empty", "basic", "unknown key", "unknown x-api-key", "unsigned token", "endless"],
)
def test_no_valid_credential_gets_401(services, route, headers):
    reply = call(Api(headers), route, str(uuid4()), str(uuid4()))
    assert reply.status == 401, reply.text
    assert reply.headers["www-authenticate"] == "Bearer"
    if route.stage == "/api":
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json["type"] == "urn:modulo:problem:unauthenticated"
    else:
        assert reply.json["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if r.method != "GET" and r.function not in READS], ids=lambda r: r.function
)
def test_a_reading_key_cannot_write(services, route):
    api = as_user("ada")
    collection = api.create_collection()
    file = api.upload(collection, "content", "old.txt")["file_id"]
    reply = call(as_user("ada", scopes=[Scope.read]), route, collection, file)
    assert reply.status == 403, reply.text
    assert api("GET", f"/collections/{collection}").json["name"] == "papers"


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if "{" in r.path or r.function in SEARCHES], ids=lambda r: r.function
)
@pytest.mark.parametrize(
    "stranger", [("eve", "evil"), ("ada", "evil"), ("bob", "acme")], ids=["other tenant", "namesake", "not a member"]
)
def test_foreign_ids_answer_like_unknown_ones(services, route, stranger):
    ada = as_user("ada")
    collection = ada.create_collection()
    file = ada.upload(collection, "The mass of the moon is 7.3e22 kg.", "old.txt")
    assert ingest(ada, collection, file) == []
    letter = record_dead_letter_about(ref_of(ada, collection, file))
    eve = as_user(*stranger)
    dropped = ada.create_collection("dropped")
    deletion = ada("DELETE", f"/collections/{dropped}").json["deletion_id"]
    conversation, message = talk(ada, collection)
    others = {"deletion_id": deletion, "letter_id": letter, "conversation_id": conversation, "message_id": message}
    others |= {
        "item_id": message,
        "response_id": respond(ada, collection),
        "batch_id": attach_together(ada, collection),
    }
    others |= {"upload_id": ada.begin_upload(3)}
    foreign = call(eve, route, collection, file["file_id"], **others)
    unknown = call(eve, route, str(uuid4()), str(uuid4()))
    assert foreign.status == unknown.status == 404, foreign.text
    told, expected = foreign.json, unknown.json
    if route.stage == "/api":
        assert told.pop("request_id") != expected.pop("request_id")
        assert told.pop("trace_id") != expected.pop("trace_id")
    if route.function == "v1_get_model":
        expected["error"]["message"] = told["error"]["message"]  # names what was asked for
    assert told == expected
    assert ada("GET", f"/collections/{collection}/files/{file['file_id']}").json["stage"] == "ready"


@pytest.mark.parametrize(
    "route",
    [r for r in GUARDED if "file_id}" in r.path and not r.path.startswith("/v1/files/")],
    ids=lambda r: r.function,
)
def test_a_file_is_not_found_through_another_collection(services, route):
    ada = as_user("ada")
    collection, other = ada.create_collection(), ada.create_collection("other")
    file = ada.upload(collection, "content")["file_id"]
    assert call(ada, route, other, file).status == 404


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if "{" in r.path and r.function != "v1_get_model"], ids=lambda r: r.function
)
def test_an_id_that_is_none_names_the_field(api, route):
    names = re.findall(r"\{([^}]+)\}", route.path)
    reply = call(api, route, **dict.fromkeys(["collection_id", "file_id", *names], "not-an-id"))
    named = re.findall(r"\{([^}]+_id)\}", route.path)
    if route.stage == "/api":
        assert reply.status == 422
        assert {error["field"] for error in reply.json["errors"]} >= set(named)
    else:
        assert reply.status == 400
        assert reply.json["error"]["param"] in named


@pytest.mark.parametrize("route", [r for r in GUARDED if r.function in {*BODIES, *SEARCHES}], ids=lambda r: r.function)
@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("", 422), ("[]", 422), ('{"no_such_field": 1}', 422), ("\ufeff\x00", 400), ("{" * 5_000, 400)],
)
def test_a_broken_body_is_a_clear_problem(api, route, body, status):
    path = re.sub(r"\{[^}]+\}", str(uuid4()), route.path)
    reply = api(route.method, path, body=body, headers={"content-type": "application/json"})
    if route.stage == "/api":
        assert reply.status == status, reply.text
        assert reply.json["status"] == status
        assert reply.json["detail"]
    else:
        assert reply.status == 400, reply.text
        assert reply.json["error"]["message"]


def test_every_answer_carries_the_request_id(services):
    given = invoke("GET", "/health", query={"probe": "live"}, headers={"x-request-id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    forged = invoke("GET", "/collections", headers={"x-request-id": "a b\nc"})
    assert forged.headers["x-request-id"] == forged.json["request_id"]
    assert " " not in forged.json["request_id"]
