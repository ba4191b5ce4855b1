"""The door for assistants, by the SDK's own client in each version of the protocol."""

import asyncio
import json
import logging

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from modulo.domain.errors import Unavailable
from modulo.domain.tenancy.identity import Scope
from modulo.runtime.mcp_door.tools import TOOLS
from modulo.runtime.worker import function
from tests.functions.conftest import LOOP, as_user, ingest
from tests.functions.served import composed_once
from tests.functions.test_serve import request

MODES = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
TEXT = "The harbour opens at nine. The mole is 41 metres long."
URL = "http://modulo"
DOMAIN = "abc.execute-api.eu-west-1.amazonaws.com"


@pytest.fixture
def file(api, collection):
    receipt = api.upload(collection, TEXT, "harbour.txt")
    assert ingest(api, collection, receipt) == []
    return receipt["file_id"]


def session(api, mode, talk, path="/mcp"):
    """What somebody says to the door by a client of the SDK."""

    async def run():
        transport = httpx2.ASGITransport(composed_once())
        async with (
            httpx2.AsyncClient(transport=transport, base_url=URL, headers=api.headers) as http,
            Client(streamable_http_client(URL + path, http_client=http), mode=mode) as client,
        ):
            return await talk(client)

    try:
        return anyio.run(run)
    finally:
        asyncio.set_event_loop(LOOP)  # which functions go on with


def told(result):
    [content] = result.content
    assert not result.is_error, content.text
    found = json.loads(content.text)
    assert found == result.structured_content
    return found


@MODES
def test_a_model_is_told_what_the_tools_are_for(api, mode):
    async def talk(client):
        return client.protocol_version, (await client.list_tools()).tools

    version, tools = session(api, mode, talk)
    assert version == ("2025-11-25" if mode == "legacy" else mode)
    assert [tool.name for tool in tools] == list(TOOLS)
    for tool in tools:
        assert tool.annotations.read_only_hint is (tool.name != "rag_ingest")
        assert tool.annotations.destructive_hint is False
        assert len(tool.description) > 60
        assert tool.input_schema["type"] == "object"


@MODES
def test_documents_are_found_and_read(api, collection, file, mode):
    async def talk(client):
        found = told(await client.call_tool("search", {"query": "When does the harbour open?"}))
        return found["results"], told(await client.call_tool("fetch", {"id": found["results"][0]["id"]}))

    [result], read = session(api, mode, talk)
    assert result["id"] == f"{collection}:{file}"
    assert result["url"] == f"{URL}/api/collections/{collection}/files/{file}/content"
    assert (read["id"], read["title"], read["url"]) == (result["id"], result["title"], result["url"])
    assert read["text"] == TEXT
    assert read["metadata"]["name"] == "harbour.txt"


@MODES
def test_questions_are_answered_with_citations(api, collection, file, mode):
    question = {"question": "How long is the mole?", "collection": "papers"}
    found = session(api, mode, lambda client: client.call_tool("rag_search", question))
    found = told(found)
    assert "41 metres" in found["answer"]
    cited = f"{URL}/api/collections/{collection}/files/{file}/content#page=1&char="
    assert found["citations"][0]["url"].startswith(cited)
    assert found["collection_id"] == collection


@MODES
def test_documents_are_added_and_looked_up(api, collection, mode):
    async def talk(client):
        added = told(await client.call_tool("rag_ingest", {"name": "notes.md", "text": "Snow fell."}))
        listed = told(await client.call_tool("rag_list_collections", {}))
        return added, listed, told(await client.call_tool("rag_get_document", {"document_id": added["id"]}))

    added, listed, seen = session(api, mode, talk)
    assert (added["status"], added["id"]) == ("processing", f"{collection}:{added['file_id']}")
    assert [one["id"] for one in listed["collections"]] == [collection]
    assert (seen["name"], seen["stage"]) == ("notes.md", "awaiting_upload")
    assert "text" not in seen


def test_an_address_is_fetched(api, collection):
    given = {"url": "https://docs.example.org/guide.html", "collection": collection}
    added = told(session(api, "legacy", lambda client: client.call_tool("rag_ingest", given)))
    seen = api("GET", f"/collections/{collection}/files/{added['file_id']}").json
    assert (seen["stage"], seen["source_url"]) == ("fetching", given["url"])


@MODES
def test_documents_are_resources(api, collection, file, mode):
    async def talk(client):
        listed = await client.list_resources()
        templates = await client.list_resource_templates()
        [resource] = listed.resources
        return resource, templates.resource_templates, await client.read_resource(resource.uri)

    resource, templates, read = session(api, mode, talk)
    assert str(resource.uri) == f"modulo://collections/{collection}/documents/{file}"
    assert [template.uri_template for template in templates] == [
        "modulo://collections/{collection_id}/documents/{document_id}"
    ]
    assert read.contents[0].text == TEXT


def test_an_address_may_be_of_one_collection(api, collection, file):
    other = api.create_collection("other")

    async def talk(client):
        found = told(await client.call_tool("search", {"query": "harbour"}))
        listed = told(await client.call_tool("rag_list_collections", {}))
        with pytest.raises(MCPError, match="another one"):
            await client.call_tool("search", {"query": "harbour", "collection": other})
        return found["results"], listed["collections"], (await client.list_resources()).resources

    results, collections, resources = session(api, "2026-07-28", talk, f"/mcp/{collection}")
    assert len(results) == len(collections) == len(resources) == 1

    async def foreign(client):
        with pytest.raises(MCPError, match="another collection"):
            await client.call_tool("fetch", {"id": f"{collection}:{file}"})
        with pytest.raises(MCPError, match="another collection"):
            await client.read_resource(f"modulo://collections/{collection}/documents/{file}")

    session(api, "2026-07-28", foreign, f"/mcp/{other}")


def test_several_collections_are_searched_at_once(api, collection, file):
    other = api.create_collection("other")
    receipt = api.upload(other, "The harbour has a lighthouse.", "light.txt")
    assert ingest(api, other, receipt) == []
    both = {"collections": ["papers", other]}

    async def talk(client):
        found = told(await client.call_tool("search", {"query": "harbour", **both}))
        answered = told(await client.call_tool("rag_search", {"question": "What does the harbour have?", **both}))
        with pytest.raises(MCPError, match="collections: takes the place"):
            await client.call_tool("search", {"query": "harbour", "collection": "papers", **both})
        missing = await client.call_tool("search", {"query": "harbour", "collections": ["papers", "nowhere"]})
        assert missing.is_error
        return found["results"], answered

    results, answered = session(api, "2026-07-28", talk)
    assert {one["id"] for one in results} == {f"{collection}:{file}", f"{other}:{receipt['file_id']}"}
    assert "collection_id" not in answered
    for cited in answered["citations"]:
        assert cited["url"].startswith(
            f"{URL}/api/collections/{cited['collection_id']}/files/{cited['document_id']}/content"
        )


def test_several_collections_are_named_to_choose_from(api, collection):
    api.create_collection("other")

    async def talk(client):
        with pytest.raises(MCPError, match=r"collection: name one of: (other .*, papers|papers .*, other) ") as refused:
            await client.call_tool("search", {"query": "harbour"})
        assert (await client.list_resources()).resources == []
        return refused.value

    error = session(api, "legacy", talk)
    assert error.code == -32602
    assert error.data["errors"][0]["field"] == "collection"


@MODES
@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("search", {}, "query"),
        ("search", {"query": ""}, "query"),
        ("search", {"query": "x" * 9_000}, "query"),
        ("search", {"query": "harbour", "top_k": 1_000}, "top_k"),
        ("search", {"query": "harbour", "limit": 3}, "limit"),
        ("search", {"query": "harbour", "filters": {"page_number": {"near": 3}}}, "page_number"),
        ("fetch", {"id": "7"}, "id"),
        ("fetch", {"id": ["7"]}, "id"),
        ("rag_ingest", {"text": "Snow."}, "name"),
        ("rag_ingest", {"name": "a.txt"}, "text"),
        ("rag_ingest", {"text": "Snow.", "url": "https://example.org"}, "url"),
        ("rag_get_document", {}, "document_id"),
        ("forget", {}, "name"),
    ],
)
def test_bad_arguments_are_named(api, collection, mode, tool, arguments, field):
    async def talk(client):
        with pytest.raises(MCPError) as refused:
            await client.call_tool(tool, arguments)
        return refused.value

    error = session(api, mode, talk)
    assert error.code == -32602
    assert field in error.message


@MODES
def test_what_a_model_can_make_good_is_a_result_that_it_reads(api, collection, mode):
    unknown = f"{collection}:00000000-0000-0000-0000-000000000001"
    result = session(api, mode, lambda client: client.call_tool("fetch", {"id": unknown}))
    assert result.is_error
    assert result.content[0].text.startswith("Not found: ")


@pytest.mark.parametrize("stranger", [("eve", "evil"), ("ada", "evil"), ("bob", "acme")])
def test_nothing_of_others_is_visible(api, collection, file, stranger):
    async def talk(client):
        for tool, arguments in (
            ("search", {"query": "harbour", "collection": collection}),
            ("rag_search", {"question": "harbour?", "collection": "papers"}),
            ("fetch", {"id": f"{collection}:{file}"}),
            ("rag_get_document", {"document_id": file, "collection": collection}),
            ("rag_ingest", {"name": "a.txt", "text": "x", "collection": collection}),
        ):
            result = await client.call_tool(tool, arguments)
            assert result.is_error, tool
            assert result.content[0].text.startswith("Not found"), tool
        assert told(await client.call_tool("rag_list_collections", {})) == {"collections": []}
        with pytest.raises(MCPError):
            await client.list_resources()
        with pytest.raises(MCPError):
            await client.read_resource(f"modulo://collections/{collection}/documents/{file}")

    session(as_user(*stranger), "2026-07-28", talk)


def test_a_reading_key_adds_nothing(api, collection):
    reader = as_user("ada", scopes=[Scope.read])
    result = session(reader, "legacy", lambda c: c.call_tool("rag_ingest", {"name": "a.txt", "text": "x"}))
    assert result.is_error
    assert "scope 'write'" in result.content[0].text


def test_what_is_not_ready_cannot_be_read(api, collection):
    receipt = api.upload(collection, TEXT, "harbour.txt")
    named = {"id": f"{collection}:{receipt['file_id']}"}
    result = session(api, "legacy", lambda client: client.call_tool("fetch", named))
    assert result.is_error
    assert "not ready" in result.content[0].text


def test_a_cursor_that_is_none_is_named(api, collection):
    async def talk(client):
        with pytest.raises(MCPError, match="after") as refused:
            await client.list_resources(cursor="x")
        return refused.value

    assert session(api, "legacy", talk).code == -32602


PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
MODERN_META = {"protocolVersion": "2026-07-28", "clientCapabilities": {}}
ACCEPT = {"accept": "application/json, text/event-stream"}


def test_no_credential_tells_where_to_get_one(services):
    reply = request("POST", "/mcp", json=PING, headers=ACCEPT)
    assert reply.status_code == 401
    described = f"{URL}/.well-known/oauth-protected-resource/mcp"
    assert reply.headers["www-authenticate"] == f'Bearer resource_metadata="{described}", scope="read write"'
    assert reply.json()["error"]["data"]["status"] == 401
    found = request("GET", described.removeprefix(URL)).json()
    assert found["resource"] == f"{URL}/mcp"
    assert found["scopes_supported"] == ["read", "write"]
    assert request("GET", "/.well-known/oauth-protected-resource").json() == found
    of_one = request("POST", "/mcp/papers", json=PING, headers=ACCEPT).headers["www-authenticate"]
    assert "/.well-known/oauth-protected-resource/mcp/papers" in of_one


@pytest.mark.parametrize(
    "settings",
    [{"public_url": "https://rag.example.org/", "oidc_issuer": "https://id.example.org", "oidc_audience": "modulo"}],
    indirect=True,
)
def test_the_public_address_and_the_issuer_are_told(services):
    found = request("GET", "/.well-known/oauth-protected-resource/mcp/papers").json()
    assert found["resource"] == "https://rag.example.org/mcp/papers"
    assert found["authorization_servers"] == ["https://id.example.org"]


class BusyIdentities:
    def principal_of(self, hashed, *, now):
        raise Unavailable("busy", retry_after=7)


def test_a_busy_server_says_when_to_come_back(services):
    services.identities = BusyIdentities()
    reply = request("POST", "/mcp", json=PING, headers={**ACCEPT, "authorization": "Bearer mod_x"})
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "7")


def test_pages_of_other_origins_may_not_call(api):
    reply = request("POST", "/mcp", json=PING, headers={**ACCEPT, **api.headers, "origin": "https://evil.example"})
    assert (reply.status_code, reply.json()["error"]["data"]["status"]) == (403, 403)
    own = request("POST", "/mcp", json=PING, headers={**ACCEPT, **api.headers, "origin": URL})
    assert own.status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_are_no_sessions_to_listen_to_or_to_end(api, method):
    reply = request(method, "/mcp", headers={**ACCEPT, **api.headers})
    assert (reply.status_code, reply.headers["allow"]) == (405, "OPTIONS, POST")


MODERN = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
META = {f"io.modelcontextprotocol/{name}": told for name, told in MODERN_META.items()}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
CALL = {"name": "rag_list_collections", "arguments": {}}
BROKEN = [
    (7, "message"),
    ("tools/list", "message"),
    (None, "message"),
    ([], "message"),
    ([LIST] * 21, "message"),
    ({}, "jsonrpc"),
    (LIST | {"jsonrpc": "1.0"}, "jsonrpc"),
    (LIST | {"jsonrpc": 2.0}, "jsonrpc"),
    ({"jsonrpc": "2.0", "id": 1}, "method"),
    ({"jsonrpc": "2.0", "id": 1, "result": {}}, "method"),
    (LIST | {"method": 7}, "method"),
    (LIST | {"method": ""}, "method"),
    (LIST | {"method": "x" * 201}, "method"),
    (LIST | {"params": []}, "params"),
    (LIST | {"params": "name"}, "params"),
    ({"jsonrpc": "2.0", "method": "tools/call", "params": CALL}, "id"),
    (LIST | {"id": None}, "id"),
    (LIST | {"id": True}, "id"),
    (LIST | {"id": 1.5}, "id"),
    (LIST | {"id": []}, "id"),
    (LIST | {"id": 2**53 + 1}, "id"),
    (LIST | {"id": "x" * 1_001}, "id"),
    ({"jsonrpc": "2.0", "id": None, "method": "notifications/initialized"}, "id"),
]


def sent(api, body, headers=ACCEPT):
    """The answer to a message."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {**ACCEPT, **api.headers, "content-type": "application/json", **headers}
    return request("POST", "/mcp", content=content, headers=own)


def field_of(reply):
    return reply.json()["error"]["data"]["errors"][0]["field"]


@pytest.mark.parametrize("headers", [{}, {"mcp-protocol-version": "2025-11-25"}, MODERN], ids=["none", "2025", "2026"])
def test_what_is_no_message_is_refused_by_its_member(api, headers):
    for body, field in BROKEN:
        reply = sent(api, body, headers)
        assert (reply.status_code, reply.json()["error"]["code"], field_of(reply)) == (400, -32600, field), body
        known = body.get("id") if isinstance(body, dict) and field != "id" else None
        assert reply.json()["id"] == known, body


@pytest.mark.parametrize("headers", [{}, MODERN], ids=["none", "2026"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b'{"id": NaN}', json.dumps(LIST).encode("utf-16"), b'{"method": "\xff"}'),
        *(b"[" * 100_000, b'{"id": ' + b"9" * 5_000 + b"}", b'{"method": "\\ud83d"}'),
    ],
    ids=["nothing", "cut", "nan", "utf-16", "bytes", "deep", "digits", "surrogate"],
)
def test_what_cannot_be_read_is_no_json(api, body, headers):
    reply = sent(api, body, headers)
    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["id"]) == (400, -32700, None)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (LIST, MODERN, 400, -32602),
        (LIST | {"params": {"_meta": META}}, {}, 400, -32020),
        (LIST | {"params": {"_meta": META}}, {**MODERN, "mcp-method": "tools/call"}, 400, -32020),
        (LIST | {"params": {"_meta": META}}, {**MODERN, "mcp-protocol-version": "2025-11-25"}, 200, None),
        (LIST, {"mcp-protocol-version": "2031-01-01"}, 400, -32602),
        ({"jsonrpc": "2.0", "method": "notifications/x"}, {"mcp-protocol-version": "2031-01-01"}, 400, -32022),
        ({"jsonrpc": "2.0", "method": "notifications/x"}, MODERN, 202, None),
        (LIST | {"method": "no/such", "params": {"_meta": META}}, {**MODERN, "mcp-method": "no/such"}, 404, -32601),
        (LIST | {"method": "no/such"}, {}, 200, -32601),
    ],
)
def test_headers_are_checked_against_the_message(api, body, headers, status, code):
    reply = sent(api, body, headers)
    answer = reply.json() if reply.content else {}
    assert (reply.status_code, answer.get("error", {}).get("code")) == (status, code), reply.text


def test_a_header_that_is_given_twice_is_refused(api):
    own = {**ACCEPT, **api.headers, "content-type": "application/json"}
    twice = [*own.items(), ("mcp-protocol-version", "2025-06-18"), ("mcp-protocol-version", "2026-07-28")]
    reply = request("POST", "/mcp", content=json.dumps(LIST), headers=twice)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    ("method", "params", "field"),
    [
        ("initialize", {"protocolVersion": 7, "capabilities": {}, "clientInfo": {}}, "protocolVersion"),
        ("tools/call", {"arguments": {}}, "name"),
        ("tools/call", {"name": ["search"]}, "name"),
        ("tools/call", {"name": "search", "arguments": [1]}, "arguments"),
        ("tools/call", {"name": "search", "arguments": {"query": "x", "top_k": "3"}}, "top_k"),
        ("tools/call", {"name": "search", "arguments": {"query": "x", "top_k": True}}, "top_k"),
        ("resources/read", {"uri": 7}, "uri"),
        ("resources/list", {"cursor": 7}, "cursor"),
    ],
)
def test_params_that_are_wrong_are_named(api, method, params, field):
    error = sent(api, LIST | {"method": method, "params": params}).json()["error"]
    assert error["code"] == -32602
    assert field in [one["field"].rpartition(".")[2] for one in error["data"]["errors"]], error


def test_the_version_that_has_batches_is_answered_in_them(api, collection):
    call = {"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": CALL}
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    start = LIST | {"id": 3, "method": "initialize"}
    for headers in ({}, {"mcp-protocol-version": "2025-03-26"}):
        reply = sent(api, [LIST, note, call, 7, start], headers)
        assert reply.status_code == 200
        first, second, third, fourth = reply.json()
        assert (first["id"], len(first["result"]["tools"])) == (1, len(TOOLS))
        assert second["id"] == "b"
        assert second["result"]["structuredContent"]["collections"][0]["id"] == collection
        assert (third["id"], third["error"]["code"]) == (None, -32600)
        assert (fourth["id"], fourth["error"]["data"]["errors"][0]["field"]) == (3, "method")
        assert sent(api, [note], headers).status_code == 202
    later = sent(api, [LIST], {"mcp-protocol-version": "2025-06-18"})
    assert (later.status_code, later.json()["error"]["code"], field_of(later)) == (400, -32600, "message")


class BrokenCollections:
    def list_collections(self, *_args, **_named):
        raise RuntimeError("secret")


def test_a_fault_of_the_server_is_told_as_one(api, services):
    services.collections = BrokenCollections()
    reply = sent(api, LIST | {"method": "tools/call", "params": CALL})
    assert (reply.status_code, reply.json()["id"], reply.json()["error"]["code"]) == (500, 1, -32603)
    assert "secret" not in reply.text
    assert reply.json()["error"]["data"]["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html, image/png", ""])
def test_a_client_that_does_not_read_json_is_told_in_the_protocols_form(api, accept):
    reply = sent(api, LIST, {"accept": accept})
    assert (reply.status_code, reply.json()["error"]["code"]) == (406, -32000)
    assert "application/json" in reply.json()["error"]["message"]


@pytest.mark.parametrize("accept", ["*/*", "application/*;q=0.5", "text/html, Application/JSON; charset=utf-8"])
def test_a_client_that_reads_json_among_others_is_answered(api, accept):
    assert sent(api, LIST, {"accept": accept}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=b", ""])
def test_a_message_of_another_type_is_refused_in_the_protocols_form(api, kind):
    reply = request("POST", "/mcp", content=b"{}", headers={**api.headers, "content-type": kind})
    assert (reply.status_code, reply.json()["error"]["code"]) == (415, -32000)
    assert "application/json" in reply.json()["error"]["message"]


def test_a_function_answers_message_after_message(api, collection):
    for number in (1, 2):
        body = {"jsonrpc": "2.0", "id": number, "method": "tools/call"}
        body["params"] = {"name": "rag_list_collections", "arguments": {}}
        event = {
            "resource": "/",
            "path": "/",
            "httpMethod": "POST",
            "headers": {**ACCEPT, **api.headers, "content-type": "application/json"},
            "requestContext": {
                "requestId": "r",
                "stage": "mcp",
                "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            },
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = function("mcp_exchange").handler(event, None)
        assert answer["statusCode"] == 200, answer
        found = json.loads(answer["body"])
        assert (found["id"], found["result"]["structuredContent"]["collections"][0]["id"]) == (number, collection)
    refused = function("mcp_exchange").handler({**event, "headers": ACCEPT}, None)
    assert refused["statusCode"] == 401
    assert f"https://{DOMAIN}/.well-known/" in refused["headers"]["www-authenticate"]
    del event["requestContext"]["domainName"]
    nameless = function("mcp_exchange").handler({**event, "headers": {**ACCEPT, "host": "rag.example"}}, None)
    assert nameless["statusCode"] == 401
    assert "://rag.example/.well-known/" in nameless["headers"]["www-authenticate"]


def asked(method, path, *, by, headers):
    """What the function answers to a request by the API's own address, by CloudFront, or by a custom domain."""
    own = by != "domain"
    event = {
        "resource": path,
        "path": path.removeprefix("/mcp") or "/" if own else path,
        "httpMethod": method,
        "headers": {**ACCEPT, **headers, "host": DOMAIN if own else "rag.example.org"},
        "requestContext": {
            "requestId": "r",
            "stage": "mcp",
            "path": path if path.startswith("/mcp") or not own else f"/mcp{path}",
            "domainName": DOMAIN if own else "rag.example.org",
        },
        "body": json.dumps(PING) if method == "POST" else None,
        "isBase64Encoded": False,
    }
    if by == "cloudfront":
        event["headers"]["x-forwarded-host"] = "rag.example.org"
    return function("mcp_exchange").handler(event, None)


@pytest.mark.parametrize("by", ["cloudfront", "domain"])
@pytest.mark.parametrize("suffix", ["", "/papers", "/mcp"])
def test_on_aws_a_client_finds_the_description_where_a_server_has_it(services, by, suffix):
    described = f"/.well-known/oauth-protected-resource/mcp{suffix}"
    refused = asked("POST", f"/mcp{suffix}", by=by, headers={})
    assert refused["statusCode"] == 401
    assert f'resource_metadata="https://rag.example.org{described}"' in refused["headers"]["www-authenticate"]
    found = asked("GET", described, by=by, headers={})
    assert found["statusCode"] == 200
    assert json.loads(found["body"]) == request("GET", described).json() | {
        "resource": f"https://rag.example.org/mcp{suffix}"
    }


@pytest.mark.parametrize("name", ["rag.example.org/x", 'a"b', "a b", "x" * 254, "[::1]"])
def test_a_name_that_is_no_hosts_is_not_told(services, name):
    headers = {"x-forwarded-host": name}
    refused = asked("POST", "/mcp", by="api", headers=headers)
    assert f'resource_metadata="https://{DOMAIN}/.well-known' in refused["headers"]["www-authenticate"]


def test_a_server_believes_no_header_about_its_name(services):
    headers = {**ACCEPT, "x-forwarded-host": "evil.example"}
    assert f'"{URL}/.well-known' in request("POST", "/mcp", json=PING, headers=headers).headers["www-authenticate"]


def test_the_page_of_the_address_that_cloudfront_has_may_call(api):
    headers = {**api.headers, "content-type": "application/json"}
    own = asked("POST", "/mcp", by="cloudfront", headers={**headers, "origin": "https://rag.example.org"})
    assert own["statusCode"] == 200
    foreign = asked("POST", "/mcp", by="cloudfront", headers={**headers, "origin": "https://evil.example"})
    assert foreign["statusCode"] == 403


def test_its_packages_do_not_tell_of_every_session(api, caplog):
    caplog.set_level(logging.INFO)
    session(api, "legacy", lambda client: client.list_tools())
    assert not [record for record in caplog.records if record.name.startswith("mcp.server")]
