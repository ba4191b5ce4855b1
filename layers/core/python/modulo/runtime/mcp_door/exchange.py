"""A request's messages, answered by the protocol's own server: each for itself, so that no session is kept.

The SDK's sessions would start a task and several streams for each request; the server they lead to is asked directly.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from fastapi.responses import JSONResponse, Response
from mcp.server.connection import Connection
from mcp.server.runner import serve_one
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import (
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.message import ServerMessageMetadata
from mcp_types import DEFAULT_NEGOTIATED_VERSION, HEADER_MISMATCH, INTERNAL_ERROR, PROTOCOL_VERSION_META_KEY
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from modulo.domain.errors import InternalError
from modulo.runtime.mcp_door.dispatch import Dispatched
from modulo.runtime.mcp_door.errors import STATUSES, no_message, protocol_error, told
from modulo.runtime.mcp_door.message import content_of, id_in, message_in
from modulo.runtime.mcp_door.server import server_for
from modulo.runtime.problems import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

    from modulo.runtime.mcp_door.message import Message
    from modulo.runtime.mcp_door.visit import Visit

log = logging.getLogger(__name__)
BATCHED: Final = (None, "2025-03-26")
"""The version that has batches, and what its clients say of it in their headers: nothing."""
MAX_BATCH: Final = 20
ACCEPTED: Final = 202
SERVER: Final = server_for(lambda context: cast("Visit", context.request))


class Reply(NamedTuple):
    """A status of HTTP, and an answer where one is wanted."""

    status: int
    body: dict[str, Any] | None = None


async def exchange(request: Request, visit: Visit) -> Response:
    """The response to a request of HTTP."""
    try:
        repeated = find_duplicated_routing_header(request.headers.items())
        if repeated is not None:
            raise MCPError(HEADER_MISMATCH, f"{repeated} header appears more than once")
        given = content_of(await request.body())
        speaker = Speaker(visit, request.headers)
        if isinstance(given, list):
            return await speaker.batch(given)
    except MCPError as error:
        return JSONResponse(told(error, None), status_code=STATUSES[error.code])
    reply = await speaker.one(given)
    return Response(status_code=reply.status) if reply.body is None else JSONResponse(reply.body, reply.status)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whoever sends messages, with the headers that count for all of them."""

    visit: Visit
    headers: Mapping[str, str]

    @property
    def _version(self) -> str | None:
        return self.headers.get(MCP_PROTOCOL_VERSION_HEADER)

    async def batch(self, given: list[Any]) -> Response:
        """The answers to several messages, in their order.

        Raises:
            MCPError: the version has no batches, or it is none.
        """
        if self._version not in BATCHED:
            raise no_message("message", f"must be one object: only {BATCHED[1]} has batches")
        if not 0 < len(given) <= MAX_BATCH:
            raise no_message("message", f"must be an object, or a list of 1 to {MAX_BATCH}")
        replies = [await self.one(each, batched=True) for each in given]
        bodies = [reply.body for reply in replies if reply.body is not None]
        return JSONResponse(bodies) if bodies else Response(status_code=ACCEPTED)

    async def one(self, given: Any, *, batched: bool = False) -> Reply:
        """The answer to a message; notifications have none."""
        try:
            message = message_in(given)
            if batched and message.method == "initialize":
                raise no_message("method", "must not be initialize in a batch")
            connection = self._connection(message)
        except MCPError as error:
            return Reply(STATUSES[error.code], told(error, id_in(given)))
        if message.id is None:
            return Reply(ACCEPTED)
        return await self._served(message, connection)

    def _connection(self, message: Message) -> Connection:
        """What the server is to know of the client.

        Raises:
            MCPError: headers and message do not agree, or the version is unknown.
        """
        version = self._version
        if version in HANDSHAKE_PROTOCOL_VERSIONS or (version is None and not _has_envelope(message)):
            return Connection.from_envelope(version or DEFAULT_NEGOTIATED_VERSION, None, None)
        if message.id is None:
            refused = unsupported_protocol_version_rejection(version or "")
            if refused is None:
                return Connection.from_envelope(version or "", None, None)
            raise MCPError(refused.code, refused.message, refused.data)
        found = classify_inbound_request(message.body, headers=self.headers)
        if isinstance(found, InboundLadderRejection):
            raise MCPError(found.code, found.message, found.data)
        return Connection.from_envelope(found.protocol_version, found.client_info, found.client_capabilities)

    async def _served(self, message: Message, connection: Connection) -> Reply:
        """The server's answer. Before 2026-07-28, an error of the server's own is the answer to a request that was."""
        context = Dispatched(message.id, ServerMessageMetadata(request_context=self.visit))
        try:
            asked = serve_one(SERVER, context, message.method, message.params, connection=connection, lifespan_state={})
            return Reply(200, {"jsonrpc": "2.0", "id": message.id, "result": await asked})
        except MCPError as failed:
            error = failed
        except ValidationError as failed:
            error = protocol_error(invalid(failed.errors()))
        except Exception:
            log.exception("%s of the Model Context Protocol failed with an unexpected error", message.method)
            error = protocol_error(InternalError(), INTERNAL_ERROR)
        modern = connection.protocol_version in MODERN_PROTOCOL_VERSIONS
        status = STATUSES.get(error.code, 200) if modern or error.code == INTERNAL_ERROR else 200
        return Reply(status, told(error, message.id))


def _has_envelope(message: Message) -> bool:
    """Whether it says its version as only messages without a handshake do."""
    meta = (message.params or {}).get("_meta")
    return message.id is not None and isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta
