"""WebSockets that send the same events as server-sent event streams.

Browsers need them: their EventSource cannot send a credential. The client sends it in its first message, because a
URL would be logged and a cookie would be sent for other sites' pages too. So it does not matter which page connects,
and `Origin` is not checked.

A server sends for as long as the connection is open. API Gateway keeps the connection while no function runs: there
the subscription is stored, and `push_events` sends.
"""

import asyncio
import logging
from contextlib import aclosing, closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import anyio
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from modulo.domain.errors import InternalError, InvalidRequest, ModuloError
from modulo.domain.files.subscription import StreamPosition, SubscriptionDraft
from modulo.domain.operations.messages import ClosingMessage
from modulo.domain.tenancy.identity import Scope
from modulo.runtime.auth import MAX_CREDENTIAL_CHARACTERS, authorize, credential_validity
from modulo.runtime.event_stream import EventStream, open_streams
from modulo.runtime.http import Handler
from modulo.runtime.problem_details import ending
from modulo.runtime.problems import invalid
from modulo.runtime.telemetry import add_log_fields, begin_trace, invocation, request_id
from modulo.services import services
from modulo.usecases.watch_files import subscribe, watch_files

log = logging.getLogger(__name__)
PATH: Final = "/ws"
MAX_MESSAGE_BYTES: Final = 32 * 1024
"""Largest message that a client may send, as in API Gateway's frames."""
MAX_CONNECTION_AGE: Final = timedelta(hours=2, minutes=5)
"""API Gateway closes a connection after 2 hours."""
NORMAL_CLOSURE: Final = 1000
POLICY_VIOLATION: Final = 1008
"""Close codes (RFC 6455, 7.4.1): reconnect to continue; or the last message describes a problem."""


class WatchRequest(BaseModel):
    """The client's first message: its credential, and what it watches."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["watch"]
    token: Annotated[SecretStr, Field(min_length=1, max_length=MAX_CREDENTIAL_CHARACTERS)]
    collection_id: UUID
    last_event_id: Annotated[str | None, Field(max_length=100)] = None


async def watch_socket(socket: WebSocket) -> None:
    """Serve one connection until its time is over, the credential is no longer valid, or the client leaves."""
    request_id.set(str(uuid4()))
    begin_trace()
    await socket.accept()
    with suppress(WebSocketDisconnect):
        try:
            stream = await _open(await _first_message(socket))
        except ModuloError as error:
            await socket.send_text(ending(error).message)
            await socket.close(POLICY_VIOLATION)
            return
        with closing(stream):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_on_disconnect, socket, tasks.cancel_scope)
                await _send(socket, stream)
                tasks.cancel_scope.cancel()


def with_websockets(handler: Handler) -> Handler:
    """A handler that API Gateway invokes for HTTP requests and for the events of its WebSocket connections."""

    def either(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = event.get("requestContext", {})
        if "connectionId" not in request:
            return handler(event, context)
        with invocation(context):
            request_id.set(request["requestId"])
            add_log_fields(request_id=request["requestId"])
            if request["eventType"] == "DISCONNECT":
                services().subscriptions.forget_subscription(request["connectionId"])
            elif request["eventType"] == "MESSAGE":
                with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # leaves the requests' loop alone
                    runner.run(_subscribe(request, event.get("body") or ""))
        return {"statusCode": 200}

    return either


async def _subscribe(request: dict[str, Any], message: str) -> None:
    """Store the subscription that a client asks for, or send it the problem and disconnect it."""
    s, connection_id = services(), request["connectionId"]
    try:
        asked = _parsed(message)
        credential = asked.token.get_secret_value()
        caller = await authorize(credential, Scope.read)
        key_hash, expires_at = credential_validity(credential, services=s)
        draft = SubscriptionDraft(
            connection_id=connection_id,
            looked_at=StreamPosition.resume(asked.last_event_id, s.clock.now()).looked_at,
            key_hash=key_hash,
            expires_at=expires_at,
            closes_at=datetime.fromtimestamp(request["connectedAt"] / 1000, UTC) + MAX_CONNECTION_AGE,
        )
        subscribe(caller, asked.collection_id, draft, subscriptions=s.subscriptions, pushes=s.pushes, clock=s.clock)
    except ModuloError as error:
        s.pushes.send(ClosingMessage(connection_id, ending(error).message).body())
    except Exception:
        log.exception("subscription of connection %s failed unexpectedly", connection_id)
        s.pushes.send(ClosingMessage(connection_id, ending(InternalError()).message).body())


async def _first_message(socket: WebSocket) -> str:
    try:
        with anyio.fail_after(open_streams.timing.handshake_seconds):
            received = await socket.receive()
    except TimeoutError:
        raise InvalidRequest("Nothing was received: send a message that asks to watch first.") from None
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return str(received.get("text") or "")


def _parsed(message: str) -> WatchRequest:
    try:
        return WatchRequest.model_validate_json(message)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from None


async def _open(message: str) -> EventStream:
    asked, s = _parsed(message), services()
    read_changes = partial(watch_files, collection_id=asked.collection_id, files=s.files, clock=s.clock)
    authenticate = partial(authorize, asked.token.get_secret_value(), Scope.read)
    return await EventStream.open(read_changes, authenticate, asked.last_event_id)


async def _send(socket: WebSocket, stream: EventStream) -> None:
    code = NORMAL_CLOSURE
    with suppress(WebSocketDisconnect):  # which a task group would wrap
        async with aclosing(stream.batches()) as batches:
            async for batch in batches:
                await socket.send_text(batch.message)
                code = NORMAL_CLOSURE if batch.last_event_id else POLICY_VIOLATION
        await socket.close(code)


async def _cancel_on_disconnect(socket: WebSocket, sending: anyio.CancelScope) -> None:
    """Stop sending when the client leaves; anything else that it sends is ignored."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    sending.cancel()
