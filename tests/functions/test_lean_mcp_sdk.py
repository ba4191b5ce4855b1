"""The MCP function answers the same with the SDK as `modulo.lean_mcp_sdk` loads it as with the whole one.

Each program is the function in a fresh process: as in a Lambda environment that a request waits for, and as in one
that Lambda makes ahead, which loads the whole SDK. When this fails after an upgrade of the SDK, `lean_mcp_sdk` is what
must follow it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Self

import anyio
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import methods
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from modulo.lean_imports import LAMBDA
from modulo.runtime.mcp_door.tools import TOOLS
from modulo.runtime.snapshot import TYPE
from tests.architecture.sources import ROOT

UNUSED = {"cryptography", "httpx2", "mcp.client", "mcp.server.mcpserver", "sse_starlette", "uvicorn"}
"""Packages that the whole SDK imports at a function's start, and that no message needs."""
MODES = pytest.mark.parametrize("mode", ["legacy", *MODERN_PROTOCOL_VERSIONS])
ONE = "00000000-0000-0000-0000-000000000001"
DOCUMENT = f"modulo://collections/{ONE}/documents/{ONE}"
ACCEPT = "application/json, text/event-stream"
CLIENT = {"name": "test", "version": "1"}
INITIALIZE = {"capabilities": {}, "clientInfo": CLIENT}

PROGRAM = """
import json, sys
from datetime import UTC, datetime
from math import inf
from uuid import UUID

from modulo.domain.ingestion.chunking import Chunking
from modulo.domain.collections.collection import Collection, CollectionStatus
from modulo.domain.errors import NotFound
from modulo.domain.files.file import File, Stage
from modulo.domain.tenancy.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.pagination import Listing
from modulo.runtime.mcp_door import documents
from modulo.runtime.worker import function
from modulo.services import Services, install, services
from modulo.settings import Settings

ONE, NOW = UUID(int=1), datetime(2026, 3, 14, tzinfo=UTC)
COLLECTION = Collection(
    id=ONE, name="papers", status=CollectionStatus.completed, role=Role.owner, owner_id=ONE, embedding_model="e",
    chunking=Chunking(), dedicated=False, version=1, files={Stage.ready: 1}, storage_bytes=9, created_at=NOW,
    updated_at=NOW,
)
FILE = File(
    id=ONE, collection_id=ONE, name="notes.txt", stage=Stage.ready, generation=1, live_generation=1, source=1,
    media_type="text/plain", size_bytes=9, created_by=ONE, created_at=NOW, updated_at=NOW,
)

class Collections:
    def list_collections(self, principal, **asked):
        return Listing[Collection](items=(COLLECTION,))

    def get_collection(self, principal, collection_id, **asked):
        if collection_id != ONE:
            raise NotFound
        return COLLECTION

class Files:
    def list_files(self, principal, collection_id, **asked):
        return Listing[File](items=(FILE,))

    def get_file(self, principal, collection_id, file_id, **asked):
        if file_id != ONE:
            raise NotFound
        return FILE

install(Services(Settings()))
vars(services()).update(collections=Collections(), files=Files(), grants=None, vectors=None)
services().known_keys[api_key_hash("mod_key")] = (inf, Principal(ONE, ONE, frozenset(Scope)))
documents.get_file_text = lambda *given, **ports: ["The vault opens", "at noon."]
handler = function("mcp_exchange").handler

def loaded():
    import pydantic
    built, waiting = 0, pydantic.BaseModel.__subclasses__()
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        built += model.__module__.partition(".")[0] in ("mcp", "mcp_types") and model.__pydantic_complete__
    return {"modules": [name for name, at in sys.modules.items() if getattr(at, "__file__", None)], "built": built}

def answer(asked):
    headers = {"authorization": "Bearer mod_key", "x-request-id": "test", **asked["headers"]}
    headers["traceparent"] = f"00-{'1' * 32}-{'2' * 16}-01"
    event = {
        "resource": "/", "path": "/", "httpMethod": asked["method"], "headers": headers, "isBase64Encoded": False,
        "requestContext": {"requestId": "test", "stage": "mcp"}, "body": asked["body"],
    }
    found = handler(event, None)
    headers = {name: value for name, value in found["headers"].items() if name != "traceresponse"}
    return {"status": found["statusCode"], "headers": headers, "body": found["body"]}

for line in sys.stdin:
    asked = json.loads(line)
    sys.stdout.write("=" + json.dumps(answer(asked) if asked else loaded()) + "\\n")
    sys.stdout.flush()
"""


class Function:
    """The function in a process of its own, which answers as long as it is open."""

    def __init__(self, *, lean: bool) -> None:
        made = "on-demand" if lean else "provisioned-concurrency"
        database = "postgresql+pg8000://nobody@127.0.0.1:1/none"
        self._environment = {**os.environ, LAMBDA: "mcp_exchange", TYPE: made, "DATABASE_URL": database}
        self._environment |= {"PYTHONWARNINGS": "error", "LOG_LEVEL": "ERROR"}

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", PROGRAM]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def tell(self, asked: Mapping[str, Any] | None) -> dict[str, Any]:
        """Its answer to a request; without one, what it has loaded."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answered = next(line for line in self._process.stdout if line.startswith("="))
        found: dict[str, Any] = json.loads(answered[1:])
        return found


@pytest.fixture(scope="module")
def lean() -> Iterator[Function]:
    with Function(lean=True) as made:
        yield made


@pytest.fixture(scope="module")
def whole() -> Iterator[Function]:
    with Function(lean=False) as made:
        yield made


class Bridge(httpx2.AsyncBaseTransport):
    """Takes a client's requests to a function."""

    def __init__(self, to: Function) -> None:
        self._to = to

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = (await request.aread()).decode()
        asked = {"method": request.method, "headers": dict(request.headers), "body": body}
        answer = self._to.tell(asked)
        return httpx2.Response(answer["status"], headers=answer["headers"], content=answer["body"].encode())


def test_nothing_that_no_message_needs_is_loaded_or_built() -> None:
    with Function(lean=True) as lean, Function(lean=False) as whole:
        few, all_of_it = lean.tell(None), whole.tell(None)
    assert "mcp.server.runner" in few["modules"]
    assert {name for name in few["modules"] if within(name, UNUSED)} == set()
    assert all(any(within(name, {unused}) for name in all_of_it["modules"]) for unused in UNUSED)
    assert all_of_it["built"] > 500
    assert few["built"] < 20


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@MODES
def test_a_client_of_the_sdk_is_served(lean: Function, mode: str) -> None:
    async def talk() -> None:
        async with (
            httpx2.AsyncClient(transport=Bridge(lean), base_url="http://modulo") as http,
            Client(streamable_http_client("http://modulo/", http_client=http), mode=mode) as client,
        ):
            assert [tool.name for tool in (await client.list_tools()).tools] == list(TOOLS)
            listed = await client.call_tool("rag_list_collections", {})
            assert listed.structured_content is not None
            assert listed.structured_content["collections"][0]["name"] == "papers"
            assert json.loads(listed.content[0].text) == listed.structured_content  # type: ignore[union-attr]
            [resource] = (await client.list_resources()).resources
            assert (await client.read_resource(resource.uri)).contents[0].text == "The vault opens\n\nat noon."  # type: ignore[union-attr]
            missing = await client.call_tool("fetch", {"id": f"{ONE}:{ONE[:-1]}2"})
            assert missing.is_error
            with pytest.raises(MCPError, match="query"):
                await client.call_tool("search", {})

    anyio.run(talk)


PARAMS: Mapping[str, list[Any]] = {
    "completion/complete": [{"ref": {"type": "ref/resource", "uri": "x"}, "argument": {"name": "a", "value": "b"}}],
    "initialize": [INITIALIZE, {"protocolVersion": "1999-01-01", **INITIALIZE}, {}],
    "logging/setLevel": [{"level": "info"}],
    "notifications/cancelled": [{"requestId": 1}],
    "notifications/progress": [{"progressToken": 1, "progress": 1}],
    "prompts/get": [{"name": "x"}],
    "resources/list": [{}, {"cursor": "x"}],
    "resources/read": [{"uri": DOCUMENT}, {"uri": DOCUMENT[:-1] + "2"}, {}],
    "resources/subscribe": [{"uri": DOCUMENT}],
    "resources/unsubscribe": [{"uri": DOCUMENT}],
    "tools/call": [
        {"name": "rag_list_collections", "arguments": {}},
        {"name": "fetch", "arguments": {"id": f"{ONE}:{ONE}"}},
        {"name": "fetch", "arguments": {"id": f"{ONE}:{ONE[:-1]}2"}},
        {"name": "search", "arguments": {"top_k": "many"}},
        {"name": "forget"},
        {"name": "fetch", "arguments": [1]},
        {},
    ],
}
"""What is asked of each method, besides nothing."""
METHODS = sorted({method for method, _ in (*methods.CLIENT_REQUESTS, *methods.CLIENT_NOTIFICATIONS)} | {"no/such"})


def message(method: str, params: Any, version: str | None) -> dict[str, Any]:
    headers = {"content-type": "application/json", "accept": ACCEPT}
    if version:
        headers["mcp-protocol-version"] = version
    if version in MODERN_PROTOCOL_VERSIONS:
        headers["mcp-method"] = method
        named = params.get("name") or params.get("uri")
        headers |= {"mcp-name": named} if named else {}
        told = {"protocolVersion": version, "clientCapabilities": {}, "clientInfo": CLIENT}
        params = {**params, "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in told.items()}}
    elif method == "initialize" and params:
        params = {"protocolVersion": version or "2025-03-26", **params}
    body = {"jsonrpc": "2.0", "method": method, "params": params}
    if not method.startswith("notifications/"):
        body["id"] = 1
    return {"method": "POST", "headers": headers, "body": json.dumps(body)}


@pytest.mark.parametrize("version", [None, *KNOWN_PROTOCOL_VERSIONS, "2031-01-01"])
def test_every_method_is_answered_as_by_the_whole_sdk(lean: Function, whole: Function, version: str | None) -> None:
    statuses = set()
    for method in METHODS:
        if method == "subscriptions/listen" and version in MODERN_PROTOCOL_VERSIONS:
            continue  # is answered for as long as the client listens
        for params in PARAMS.get(method, [{}]):
            asked = message(method, params, version)
            answer = lean.tell(asked)
            assert answer == whole.tell(asked), asked
            statuses.add(answer["status"])
    assert statuses >= ({400} if version == "2031-01-01" else {200})


def test_what_is_no_message_is_refused_as_by_the_whole_sdk(lean: Function, whole: Function) -> None:
    for version in (None, *MODERN_PROTOCOL_VERSIONS):
        asked = message("tools/list", {}, version)
        for body in ("{", "[]", "7", '{"jsonrpc": "2.0"}', '{"jsonrpc": "2.0", "id": [], "method": "ping"}'):
            answer = lean.tell({**asked, "body": body})
            assert answer == whole.tell({**asked, "body": body}), body
            assert answer["status"] in (202, 400), body
