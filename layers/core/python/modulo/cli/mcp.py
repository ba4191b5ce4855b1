"""`modulo mcp`: the door for assistants over standard input and output, for those that start a command.

Each request goes to a server's `/mcp` and its answer comes back: this process holds no documents and keeps no sessions.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import anyio
import httpx2
from mcp.server.stdio import stdio_server
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp.shared.jsonrpc_dispatcher import cancelled_request_id_from_params
from mcp.shared.message import SessionMessage
from mcp_types import (
    CONNECTION_CLOSED,
    PARSE_ERROR,
    PROTOCOL_VERSION_META_KEY,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from modulo.cli.running_stack import running_address
from modulo.domain.errors import InvalidRequest

TYPES: Final = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
TIMEOUT_SECONDS: Final = 60
"""More than a server takes for a request."""


class Answers(Protocol):
    """Where answers are written to."""

    async def send(self, item: SessionMessage, /) -> None:
        """Write one."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The door of a server, and the key for it; one on this machine is not reached through a proxy."""

    address: str
    key: str
    local: bool = False


def destination(url: str | None, key: str | None, data: Path, collection: str | None) -> Destination:
    """The server that is given, by any of its addresses, or else the one that runs on `data`; and its one collection.

    Raises:
        InvalidRequest: it is given without a key, or by what is no address.
        Unavailable: none is given and none runs.
    """
    local = url is None
    if url is None:
        url, running = running_address(data)
        key = key or running
    if not key:
        raise InvalidRequest("A server that is given by --url needs an API key: set MODULO_API_KEY.")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidRequest(f"{url!r} is no address of a server, such as https://host or https://host/mcp.")
    path = parts.path.rstrip("/")
    _, door, inner = path.partition("/mcp")
    door = path if door and inner[:1] in ("", "/") else path.removesuffix("/api") + "/mcp"
    chosen = f"/{quote(collection, safe='')}" if collection else ""
    return Destination(f"{parts.scheme}://{parts.netloc}{door}{chosen}", key, local)


def serve(url: str | None, key: str | None, data: Path, collection: str | None) -> None:
    """Relay until standard input ends.

    Raises:
        InvalidRequest, Unavailable: as `destination` does.
    """
    found = destination(url, key, data, collection)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a thread waits for input and would put off the end
    anyio.run(_relay, found)


async def _relay(found: Destination) -> None:
    headers = {"Authorization": f"Bearer {found.key}", **TYPES}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS, trust_env=not found.local) as http,
        stdio_server() as (messages, answers),
        answers,  # closed at the end, so that its writer ends
        anyio.create_task_group() as group,
    ):
        relay = Relay(http, found.address, answers)
        async for message in messages:
            if isinstance(message, SessionMessage):
                group.start_soon(relay.take, message.message)
            else:
                await relay.fail(None, PARSE_ERROR, "The line is no JSON-RPC message.")


@dataclass(slots=True)
class Relay:
    """Sends requests to a server and writes its answers, several at a time."""

    http: httpx2.AsyncClient
    address: str
    answers: Answers
    version: str | None = None
    """What was negotiated, where the client did so; later versions name theirs in each request."""
    under_way: dict[RequestId, anyio.CancelScope] = field(default_factory=dict)

    async def take(self, message: object) -> None:
        """Answer a request, or stop what is cancelled; other notifications change nothing where nothing is kept."""
        if isinstance(message, JSONRPCRequest):
            with anyio.CancelScope() as scope:
                self.under_way[message.id] = scope
                await self._answer(message)
            if self.under_way.get(message.id) is scope:
                del self.under_way[message.id]
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            cancelled = cancelled_request_id_from_params(message.params)
            if cancelled in self.under_way:
                self.under_way[cancelled].cancel()

    async def fail(self, identity: RequestId | None, code: int, text: str) -> None:
        """Answer with an error."""
        await self._write(JSONRPCError(jsonrpc="2.0", id=identity, error=ErrorData(code=code, message=text)))

    async def _answer(self, request: JSONRPCRequest) -> None:
        content = request.model_dump_json(by_alias=True, exclude_unset=True)
        headers = routing_headers(request.method, request.params or {}, self.version)
        try:
            response = await self.http.post(self.address, content=content, headers=headers)
        except httpx2.HTTPError as error:
            why = str(error) or type(error).__name__
            await self.fail(request.id, CONNECTION_CLOSED, f"{self.address} does not answer: {why}.")
            return
        try:
            answer = jsonrpc_message_adapter.validate_json(response.content, by_name=False)
        except ValidationError:
            text = f"{self.address} answered {response.status_code}, and not by the protocol."
            await self.fail(request.id, CONNECTION_CLOSED, text)
            return
        if isinstance(answer, JSONRPCResponse) and request.method == "initialize":
            self.version = answer.result.get("protocolVersion")
        await self._write(answer.model_copy(update={"id": request.id}))  # a refusal does not name the request

    async def _write(self, answer: Any) -> None:
        await self.answers.send(SessionMessage(answer))


def routing_headers(method: str, params: Mapping[str, Any], negotiated: str | None) -> dict[str, str]:
    """The headers that tell a gateway what a request's body holds; before 2026-07-28 that was the version only."""
    meta = params.get("_meta")
    version = meta.get(PROTOCOL_VERSION_META_KEY) if isinstance(meta, Mapping) else None
    if not isinstance(version, str):
        return {MCP_PROTOCOL_VERSION_HEADER: negotiated} if negotiated and method != "initialize" else {}
    told = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
    name = params.get(NAME_BEARING_METHODS.get(method, ""))
    if isinstance(name, str):
        told[MCP_NAME_HEADER] = name
    return {header: encode_header_value(value) for header, value in told.items()}
