"""WebSockets that tell what server-sent events tell, for browsers, whose EventSource can send no credential.

The credential comes in what the client says: an address would be logged, and a cookie would come along from other
sites' pages. So it does not matter whose page connects, and `Origin` is not looked at.

A server keeps telling. API Gateway keeps the connection, and a function answers each time that the client asks, as for
server-sent events.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import anyio
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from modulo.domain.errors import InternalError, InvalidRequest, ModuloError
from modulo.domain.file import Stage
from modulo.domain.identity import Scope
from modulo.domain.progress import Snapshot
from modulo.runtime.auth import MAX_CREDENTIAL, admitted
from modulo.runtime.http import Handler
from modulo.runtime.problems import invalid
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.runtime.watching import Told, Watching, ending, watchers
from modulo.services import services
from modulo.usecases.watch_files import watch_files

log = logging.getLogger(__name__)
PATH: Final = "/ws"
MAX_MESSAGE: Final = 32 * 1024
"""Bytes that a client may say at a time, as in API Gateway's frames."""
MAX_ANSWER: Final = 120 * 1024
"""Bytes; API Gateway passes 128 KB on."""
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
            await socket.send_text(_message(ending(error)))
            await socket.close(REFUSED)
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, socket, tasks.cancel_scope)
            await _tell(socket, watching)
            tasks.cancel_scope.cancel()


def with_sockets(handler: Handler) -> Handler:
    """The handler of a function that API Gateway invokes for requests, and for what is said on its connections."""

    def either(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = event.get("requestContext", {})
        if "connectionId" not in request:
            return handler(event, context)
        configure_logging(services().settings.log_level)
        request_id.set(request["requestId"])
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # leaves the requests' loop alone
            return {"statusCode": 200, "body": runner.run(_answer(event.get("body") or ""))}

    return either


async def _answer(said: str) -> str:
    try:
        watching = await _begun(said)
    except ModuloError as error:
        return _message(ending(error))
    except Exception:
        log.exception("unexpected error")
        return _message(ending(InternalError()))
    message = _message(watching.news, watching.retry_ms)
    files = watching.found.files if isinstance(watching.found, Snapshot) else tuple(watching.found)
    while len(message.encode()) > MAX_ANSWER:  # what is too much is told as what there is, without the oldest
        files = tuple(file for file in files[(len(files) + 1) // 2 :] if file.stage is not Stage.deleting)
        watching.found = Snapshot(files=files, complete=False)
        message = _message(watching.news, watching.retry_ms)
    return message


async def _said(socket: WebSocket) -> str:
    try:
        with anyio.fail_after(watchers.pace.greeting):
            said = await socket.receive()
    except TimeoutError:
        raise InvalidRequest("Nothing was said: begin with a message that asks to watch.") from None
    if said["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return str(said.get("text") or "")


async def _begun(said: str) -> Watching:
    try:
        asked = WatchRequest.model_validate_json(said)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from None
    s = services()
    look = partial(watch_files, collection_id=asked.collection_id, metadata=s.metadata, clock=s.clock)
    again = partial(admitted, asked.token.get_secret_value(), Scope.read)
    return await Watching.begun(look, again, asked.last_event_id)


async def _tell(socket: WebSocket, watching: Watching) -> None:
    code = COME_BACK
    with suppress(WebSocketDisconnect):  # which a group of tasks would wrap
        async with aclosing(watching.told()) as told:
            async for one in told:
                await socket.send_text(_message(one))
                code = COME_BACK if one.position else REFUSED
        await socket.close(code)


async def _until_gone(socket: WebSocket, telling: anyio.CancelScope) -> None:
    """What else a client says is passed over."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    telling.cancel()


def _message(told: Told, retry_ms: int | None = None) -> str:
    events = ",".join(f'{{"event":"{name}","data":{data}}}' for name, data in told.events)
    position = f',"id":"{told.position}"' if told.position else ""
    retry = f',"retry":{retry_ms}' if retry_ms else ""
    return f'{{"events":[{events}]{position}{retry}}}'
