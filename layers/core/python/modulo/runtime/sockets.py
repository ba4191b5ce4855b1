"""WebSockets that tell what server-sent events tell, for browsers, whose EventSource can send no credential.

The credential comes in what the client says: an address would be logged, and a cookie would come along from other
sites' pages. So it does not matter whose page connects, and `Origin` is not looked at.

A server keeps telling. API Gateway keeps the connection but no function running: who watches is remembered, and
`push_events` tells them.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import anyio
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from modulo.domain.errors import InternalError, InvalidRequest, ModuloError
from modulo.domain.identity import Scope
from modulo.domain.watching import Farewell, Watch, WatcherDraft
from modulo.runtime.auth import MAX_CREDENTIAL, admitted, endurance
from modulo.runtime.details import ending
from modulo.runtime.http import Handler
from modulo.runtime.problems import invalid
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.runtime.watching import Watching, watchers
from modulo.services import services
from modulo.usecases.watch_files import begin_watching, watch_files

log = logging.getLogger(__name__)
PATH: Final = "/ws"
MAX_MESSAGE: Final = 32 * 1024
"""Bytes that a client may say at a time, as in API Gateway's frames."""
LONGEST: Final = timedelta(hours=2, minutes=5)
"""API Gateway closes a connection after 2 hours, whatever is said on it."""
COME_BACK: Final = 1000
REFUSED: Final = 1008
"""Close codes (RFC 6455, 7.4.1): the time is over; the last message tells a problem."""


class WatchRequest(BaseModel):
    """What a client says: who it is and what it watches."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["watch"]
    token: Annotated[SecretStr, Field(min_length=1, max_length=MAX_CREDENTIAL)]
    collection_id: UUID
    last_event_id: Annotated[str | None, Field(max_length=100)] = None


async def watch_socket(socket: WebSocket) -> None:
    """Serve one connection: tell on, until the time is over, the caller is no longer let in, or leaves."""
    request_id.set(str(uuid4()))
    await socket.accept()
    with suppress(WebSocketDisconnect):
        try:
            watching = await _begun(await _said(socket))
        except ModuloError as error:
            await socket.send_text(ending(error).message)
            await socket.close(REFUSED)
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, socket, tasks.cancel_scope)
            await _tell(socket, watching)
            tasks.cancel_scope.cancel()


def with_sockets(handler: Handler) -> Handler:
    """The handler of a function that API Gateway invokes for requests, and for what happens on its connections."""

    def either(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = event.get("requestContext", {})
        if "connectionId" not in request:
            return handler(event, context)
        configure_logging(services().settings.log_level)
        request_id.set(request["requestId"])
        if request["eventType"] == "DISCONNECT":
            services().metadata.forget_watcher(request["connectionId"])
        elif request["eventType"] == "MESSAGE":
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # leaves the requests' loop alone
                runner.run(_remember(request, event.get("body") or ""))
        return {"statusCode": 200}

    return either


async def _remember(request: dict[str, Any], said: str) -> None:
    """Have who asked to watch told by `push_events`, or why they may not."""
    s, connection_id = services(), request["connectionId"]
    try:
        asked = _request(said)
        credential = asked.token.get_secret_value()
        caller = await admitted(credential, Scope.read)
        key_hash, expires_at = endurance(credential, services=s)
        draft = WatcherDraft(
            connection_id=connection_id,
            looked_at=Watch.resumed(asked.last_event_id, s.clock.now()).looked_at,
            key_hash=key_hash,
            expires_at=expires_at,
            closes_at=datetime.fromtimestamp(request["connectedAt"] / 1000, UTC) + LONGEST,
        )
        begin_watching(caller, asked.collection_id, draft, metadata=s.metadata, pushes=s.pushes, clock=s.clock)
    except ModuloError as error:
        s.pushes.send(Farewell(connection_id, ending(error).message).body())
    except Exception:
        log.exception("unexpected error")
        s.pushes.send(Farewell(connection_id, ending(InternalError()).message).body())


async def _said(socket: WebSocket) -> str:
    try:
        with anyio.fail_after(watchers.pace.greeting):
            said = await socket.receive()
    except TimeoutError:
        raise InvalidRequest("Nothing was said: begin with a message that asks to watch.") from None
    if said["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return str(said.get("text") or "")


def _request(said: str) -> WatchRequest:
    try:
        return WatchRequest.model_validate_json(said)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from None


async def _begun(said: str) -> Watching:
    asked, s = _request(said), services()
    look = partial(watch_files, collection_id=asked.collection_id, metadata=s.metadata, clock=s.clock)
    again = partial(admitted, asked.token.get_secret_value(), Scope.read)
    return await Watching.begun(look, again, asked.last_event_id)


async def _tell(socket: WebSocket, watching: Watching) -> None:
    code = COME_BACK
    with suppress(WebSocketDisconnect):  # which a group of tasks would wrap
        async with aclosing(watching.told()) as told:
            async for one in told:
                await socket.send_text(one.message)
                code = COME_BACK if one.position else REFUSED
        await socket.close(code)


async def _until_gone(socket: WebSocket, telling: anyio.CancelScope) -> None:
    """What else a client says is passed over."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    telling.cancel()
