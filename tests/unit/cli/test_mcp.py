"""The command's addresses and headers, and what it does with several requests at a time."""

import json
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from modulo.cli.mcp import Relay, destination, routing_headers
from modulo.domain.errors import InvalidRequest

NOWHERE = Path("/nowhere")
ADDRESS = "https://rag.example.org/mcp"
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


@pytest.mark.parametrize(
    ("url", "collection", "address"),
    [
        ("https://rag.example.org", None, ADDRESS),
        ("https://rag.example.org/", None, ADDRESS),
        ("https://rag.example.org/api", None, ADDRESS),
        ("https://rag.example.org/api/", "papers", f"{ADDRESS}/papers"),
        ("https://rag.example.org/mcp", "log & book/2", f"{ADDRESS}/log%20%26%20book%2F2"),
        ("https://rag.example.org/mcp/papers", None, f"{ADDRESS}/papers"),
        ("https://example.org/rag/api", None, "https://example.org/rag/mcp"),
        ("https://example.org/mcpx", None, "https://example.org/mcpx/mcp"),
    ],
)
def test_a_server_is_found_by_any_of_its_addresses(url: str, collection: str | None, address: str) -> None:
    found = destination(url, "mod_x", NOWHERE, collection)
    assert (found.address, found.key, found.local) == (address, "mod_x", False)


@pytest.mark.parametrize("url", ["", "rag.example.org", "ftp://rag.example.org", "https://", "/mcp"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="no address"):
        destination(url, "mod_x", NOWHERE, None)


def test_gateways_are_told_what_a_request_holds() -> None:
    call = {"name": "naïve", "_meta": META}
    assert routing_headers("tools/call", call, None) == {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "=?base64?bmHDr3Zl?=",
    }
    assert "mcp-name" not in routing_headers("tools/list", call, None)
    assert "mcp-name" not in routing_headers("tools/call", {"name": 7, "_meta": META}, None)
    assert routing_headers("tools/list", {}, "2025-06-18") == {"mcp-protocol-version": "2025-06-18"}
    assert routing_headers("initialize", {}, "2025-06-18") == {}
    assert routing_headers("tools/list", {"_meta": "x"}, None) == {}


class Written:
    """What the relay wrote."""

    def __init__(self) -> None:
        self.answers: list[JSONRPCResponse | JSONRPCError] = []

    async def send(self, item: SessionMessage, /) -> None:
        assert isinstance(item.message, JSONRPCResponse | JSONRPCError)
        self.answers.append(item.message)


class Server(httpx2.AsyncBaseTransport):
    """Answers `now` at once and anything else once it is told to."""

    def __init__(self) -> None:
        self.versions: list[str | None] = []
        self.goes_on = anyio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        self.versions.append(request.headers.get("mcp-protocol-version"))
        if asked["method"] == "broken":
            return httpx2.Response(502, text="<html>")
        if asked["method"] not in ("now", "initialize"):
            await self.goes_on.wait()
        result = {"protocolVersion": "2025-06-18"}
        return httpx2.Response(200, json={"jsonrpc": "2.0", "id": asked["id"], "result": result})


def asked(method: str, identity: int | str) -> JSONRPCRequest:
    return JSONRPCRequest(jsonrpc="2.0", id=identity, method=method)


def test_requests_wait_for_no_other_and_can_be_cancelled() -> None:
    async def run() -> list[int | str | None]:
        server, written = Server(), Written()
        async with httpx2.AsyncClient(transport=server) as http, anyio.create_task_group() as group:
            relay = Relay(http, ADDRESS, written)
            for each in (asked("later", 1), asked("later", 2), asked("now", "now")):
                group.start_soon(relay.take, each)
            await anyio.wait_all_tasks_blocked()
            for given in ({"requestId": 1}, {"requestId": "unknown"}, None):
                stop = JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params=given)
                await relay.take(stop)
            await relay.take(JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized"))
            server.goes_on.set()
        assert relay.under_way == {}
        return [answer.id for answer in written.answers]

    assert anyio.run(run) == ["now", 2]


def test_the_negotiated_version_is_told_from_then_on() -> None:
    async def run() -> list[str | None]:
        server = Server()
        async with httpx2.AsyncClient(transport=server) as http:
            relay = Relay(http, ADDRESS, Written())
            for method in ("initialize", "now"):
                await relay.take(asked(method, method))
        return server.versions

    assert anyio.run(run) == [None, "2025-06-18"]


def test_what_is_not_of_the_protocol_becomes_its_error() -> None:
    async def run() -> list[JSONRPCResponse | JSONRPCError]:
        written = Written()
        async with httpx2.AsyncClient(transport=Server()) as http:
            await Relay(http, ADDRESS, written).take(asked("broken", 3))
        return written.answers

    [answer] = anyio.run(run)
    assert isinstance(answer, JSONRPCError)
    assert (answer.id, "answered 502" in answer.error.message) == (3, True)
