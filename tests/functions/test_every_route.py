"""What holds for every route, by construction: a route that is added is tested here without a line more."""

import re
from uuid import UUID, uuid4

import pytest

from modulo.domain.identity import Scope
from tests.functions.conftest import Api, Route, as_user, bury_about, ingest, invoke, ref_of, routes

OPEN = {"health"}
BODIES = {
    "add_url": {"url": "https://docs.example.org/stolen.txt"},
    "create_collection": {"name": "stolen"},
    "update_collection": {"name": "stolen"},
    "create_upload": {"name": "a.txt", "size_bytes": 3},
    "set_member": {"role": "viewer"},
    "start_reembedding": {},
    "switch_reembedding": {},
    "roll_back_reembedding": {},
}
GUARDED = [route for route in routes() if route.function not in OPEN]


def call(api: Api, route: Route, collection: str, file: str, **others: UUID | str):
    ids = {
        "collection_id": collection,
        "file_id": file,
        "user_id": uuid4(),
        "deletion_id": uuid4(),
        "letter_id": uuid4(),
    }
    ids |= others
    path = route.path.format(**ids, alias="a.txt")
    if route.function == "upload_file":
        return api.try_upload(collection, "content")
    body = BODIES.get(route.function)
    if route.function == "search":
        body = {"question": "What?", "collection_id": collection}
    return api(route.method, path, json=body)


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
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json["type"] == "urn:modulo:problem:unauthenticated"


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if r.method != "GET" and r.function != "search"], ids=lambda r: r.function
)
def test_a_reading_key_cannot_write(services, route):
    api = as_user("ada")
    collection = api.create_collection()
    file = api.upload(collection, "content", "old.txt")["file_id"]
    reply = call(as_user("ada", scopes=[Scope.read]), route, collection, file)
    assert reply.status == 403, reply.text
    assert api("GET", f"/collections/{collection}").json["name"] == "papers"


@pytest.mark.parametrize(
    "route", [r for r in GUARDED if "{" in r.path or r.function == "search"], ids=lambda r: r.function
)
@pytest.mark.parametrize(
    "stranger", [("eve", "evil"), ("ada", "evil"), ("bob", "acme")], ids=["other tenant", "namesake", "not a member"]
)
def test_foreign_ids_answer_like_unknown_ones(services, route, stranger):
    ada = as_user("ada")
    collection = ada.create_collection()
    file = ada.upload(collection, "The mass of the moon is 7.3e22 kg.", "old.txt")
    assert ingest(ada, collection, file) == []
    letter = bury_about(ref_of(ada, collection, file))
    eve = as_user(*stranger)
    dropped = ada.create_collection("dropped")
    deletion = ada("DELETE", f"/collections/{dropped}").json["deletion_id"]
    foreign = call(eve, route, collection, file["file_id"], deletion_id=deletion, letter_id=letter)
    unknown = call(eve, route, str(uuid4()), str(uuid4()))
    assert foreign.status == unknown.status == 404, foreign.text
    told, expected = foreign.json, unknown.json
    assert told.pop("request_id") != expected.pop("request_id")
    assert told == expected
    assert ada("GET", f"/collections/{collection}/files/{file['file_id']}").json["stage"] == "ready"


@pytest.mark.parametrize("route", [r for r in GUARDED if "file_id" in r.path], ids=lambda r: r.function)
def test_a_file_is_not_found_through_another_collection(services, route):
    ada = as_user("ada")
    collection, other = ada.create_collection(), ada.create_collection("other")
    file = ada.upload(collection, "content")["file_id"]
    assert call(ada, route, other, file).status == 404


@pytest.mark.parametrize("route", [r for r in GUARDED if "{" in r.path], ids=lambda r: r.function)
def test_an_id_that_is_none_names_the_field(api, route):
    path = re.sub(r"\{[^}]+\}", "not-an-id", route.path)
    reply = api(route.method, path, json=BODIES.get(route.function, {}))
    assert reply.status == 422
    named = re.findall(r"\{([^}]+_id)\}", route.path)
    assert {error["field"] for error in reply.json["errors"]} >= set(named)


@pytest.mark.parametrize("route", [r for r in GUARDED if r.function in {*BODIES, "search"}], ids=lambda r: r.function)
@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("", 422), ("[]", 422), ('{"no_such_field": 1}', 422), ("\ufeff\x00", 400), ("{" * 5_000, 400)],
)
def test_a_broken_body_is_a_clear_problem(api, route, body, status):
    path = re.sub(r"\{[^}]+\}", str(uuid4()), route.path)
    reply = api(route.method, path, body=body, headers={"content-type": "application/json"})
    assert reply.status == status, reply.text
    assert reply.json["status"] == status
    assert reply.json["detail"]


def test_every_answer_carries_the_request_id(services):
    given = invoke("GET", "/health", query={"probe": "live"}, headers={"x-request-id": "abc-123"})
    assert given.headers["x-request-id"] == "abc-123"
    forged = invoke("GET", "/collections", headers={"x-request-id": "a b\nc"})
    assert forged.headers["x-request-id"] == forged.json["request_id"]
    assert " " not in forged.json["request_id"]
