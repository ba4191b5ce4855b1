"""HTTP as clients expect it, from a server of all functions."""

import gzip
import json
import re
from uuid import UUID

import pytest

from tests.functions.conftest import as_user, routes
from tests.functions.test_serve import request

APP = "https://app.example.org"
CORS = pytest.mark.parametrize("settings", [{"allowed_origins": [APP]}], indirect=True)
GETS = [route for route in routes() if route.method == "GET" and route.stage == "/api"]


def test_allow_names_every_method_of_a_path(services):
    reply = request("PUT", "/api/collections")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    reply = request("OPTIONS", "/api/collections")
    assert (reply.status_code, reply.headers["allow"], reply.content) == (204, "GET, HEAD, OPTIONS, POST", b"")


def test_options_of_nothing_is_not_found(services):
    assert request("OPTIONS", "/api/nowhere").status_code == 404


@pytest.mark.parametrize("route", GETS, ids=lambda route: route.function)
def test_head_is_get_without_its_body(api, collection, route):
    file = api.upload(collection, "The harbour opens at nine.")["file_id"]
    path = "/api" + re.sub(r"\{[^}]+\}", file, route.path.replace("{collection_id}", collection))
    if route.function == "watch_files":
        assert request("HEAD", path, headers=api.headers).headers["content-type"].startswith("text/event-stream")
        return
    get, head = (request(method, path, headers=api.headers) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert "content-length" in head.headers
    assert head.headers["content-type"] == get.headers["content-type"]


def test_head_of_an_endless_response_ends(api, collection):
    from modulo.runtime.threads import use_threads

    use_threads(4)
    try:
        reply = request("HEAD", f"/api/collections/{collection}/events", headers=api.headers)
    finally:
        use_threads(None)
    assert (reply.status_code, reply.content) == (200, b"")


def test_a_fixed_path_is_not_taken_for_anothers_parameter(services):
    path = f"/api/collections/{UUID(int=1)}/dead-letters/retry"
    reply = request("DELETE", path)
    assert (reply.status_code, reply.headers["allow"]) == (405, "OPTIONS, POST")
    assert request("OPTIONS", path).headers["allow"] == "OPTIONS, POST"
    assert request("OPTIONS", path.replace("retry", str(UUID(int=1)))).headers["allow"] == "DELETE, OPTIONS"


def test_head_where_there_is_no_get_is_not_allowed(services):
    assert request("HEAD", "/api/search").status_code == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_slash_too_many_leads_to_the_same_route(api, method):
    for path in ("/api/collections", "/api/collections/"):
        reply = request(method, path, headers=api.headers)
        assert reply.status_code in (200, 204)
        assert "location" not in reply.headers


def test_what_a_tenant_may_see_is_stored_nowhere(api, collection):
    for path in (f"/api/collections/{collection}", "/api/usage", "/api/nowhere"):
        assert request("GET", path, headers=api.headers).headers["cache-control"] == "no-store"


@CORS
def test_a_page_of_an_allowed_origin_may_read_every_response(api):
    for path, status in (("/api/collections", 200), ("/api/nowhere", 404), ("/api/usage", 200)):
        reply = request("GET", path, headers={**api.headers, "origin": APP})
        assert reply.status_code == status
        assert reply.headers["access-control-allow-origin"] == APP
        assert "Retry-After" in reply.headers["access-control-expose-headers"]
    refused = request("GET", "/api/usage", headers={"origin": APP})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, APP)


@CORS
def test_a_response_differs_by_origin(api):
    assert request("GET", "/api/usage", headers=api.headers).headers["vary"] == "Origin"


def test_large_json_is_compressed(api):
    for number in range(9):
        api.create_collection(f"{number} " + "harbour " * 20)
    plain = request("GET", "/api/collections", headers={**api.headers, "accept-encoding": "identity"})
    small = request("GET", "/api/collections", headers={**api.headers, "accept-encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(plain.content) / 3
    assert small.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(gzip.compress(plain.content)) == plain.content


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"name=papers"),
        ("text/plain", b'{"name": "papers"}'),
        ("application/xml", b"<name/>"),
        ("multipart/form-data; boundary=b", b"--b--"),
        ("", b'{"name": "papers"}'),
    ],
)
def test_a_body_of_another_type_is_refused(api, kind, body):
    reply = api("POST", "/collections", body=body, headers={"content-type": kind})
    assert (reply.status, reply.json["type"]) == (415, "urn:modulo:problem:unsupported-media-type")
    assert "application/json" in reply.json["detail"]


def test_a_body_without_a_length_is_read_to_tell_its_type(api):
    async def parts():
        yield b'{"name": '
        yield b'"papers"}'

    headers = {**api.headers, "content-type": "text/plain"}
    assert request("POST", "/api/collections", content=parts(), headers=headers).status_code == 415


def test_json_has_more_than_one_type(api):
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"):
        reply = api("POST", "/collections", body=json.dumps({"name": kind}), headers={"content-type": kind})
        assert reply.status == 201


def test_a_form_is_needed_for_an_upload(api, collection):
    reply = api("POST", f"/collections/{collection}/files", json={"file": "x"})
    assert reply.status == 415
    assert "multipart/form-data" in reply.json["detail"]


@pytest.mark.parametrize("path", ["/v1/files", "/v1/uploads/7f1a6c1e-2f0e-4c52-9a58-0d6c1d9b8a10/parts"])
def test_a_form_is_needed_where_a_dependency_reads_it_too(api, path):
    refused = api("POST", path, json={"file": "x"})
    assert (refused.status, refused.json["error"]["code"]) == (415, "unsupported_media_type")
    assert "multipart/form-data" in refused.json["error"]["message"]
    assert api("POST", path).status == 400


def test_a_body_that_is_missing_is_missing(api):
    reply = api("POST", "/collections", headers={"content-type": "text/plain"})
    assert (reply.status, reply.json["errors"]) == (422, [{"field": "body", "message": "is required"}])


@pytest.mark.parametrize("settings", [{"quotas": {"collections": 1, "tokens_per_day": 50}}], indirect=True)
def test_quotas_are_told_where_they_count(services):
    api = as_user("ada")
    made = api("POST", "/collections", json={"name": "papers"})
    assert made.headers["ratelimit-policy"] == '"collections";q=1'
    refused = api("POST", "/collections", json={"name": "more"})
    assert refused.status == 429
    assert refused.headers["ratelimit"] == '"collections";r=0'
    found = api("POST", "/search", json={"question": "When?", "collection_id": made.json["id"]})
    assert found.headers["ratelimit-policy"] == '"tokens_per_day";q=50;w=86400'
    usage = api("GET", "/usage")
    left = [part.strip() for part in usage.headers["ratelimit"].split(",")]
    assert left[0] == f'"tokens_per_day";r=50;t={(24 - 9) * 3600 - 30 * 60}'
    assert left[1] == '"collections";r=0'


CHAT = {"messages": [{"role": "user", "content": "When?"}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/search/stream", {"question": "When?"}),
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "stream": True}),
        ("/v1/responses", {"input": "When?"}),
    ],
)
@pytest.mark.parametrize("settings", [{"quotas": {"tokens_per_day": 50}}], indirect=True)
def test_streams_and_answers_of_v1_tell_quotas_too(api, collection, path, body):
    named = {"model": collection} if path.startswith("/v1") else {"collection_id": collection}
    found = api("POST", path, json={**body, **named})
    assert found.status == 200, found.text
    assert found.headers["ratelimit-policy"] == '"tokens_per_day";q=50;w=86400'
