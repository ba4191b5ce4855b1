"""From a router to an ASGI application and from there to a Lambda handler."""

import json
import logging
import re
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from mangum import Mangum
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modulo import __version__
from modulo.domain.errors import InternalError, TooLarge
from modulo.runtime.problems import MEDIA_TYPE, AnswerTooLarge, handle_problems, problem
from modulo.runtime.snapshot import keep_ready
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.services import services

log = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
DESCRIPTION = "Serverless, multi-tenant retrieval-augmented generation."
FORM_OVERHEAD: Final = 64 * 1024
MAX_ANSWER_BYTES: Final = 6 * 1024**2
LONGEST_ESCAPE: Final = 6
"""Bytes that JSON may take for one character."""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}")


def application(*routers: APIRouter, prefix: str = "") -> FastAPI:
    """One ASGI application of one or of all functions' routers."""
    app = FastAPI(
        title="Modulo",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    for router in routers:
        app.include_router(router, prefix=prefix)
    handle_problems(app)
    app.add_middleware(RequestScope)
    return app


def handler_of(router: APIRouter) -> Handler:
    """The Lambda handler of a function: API Gateway's event in, its response out."""
    app = application(router)
    keep_ready(*(route.endpoint for route in router.routes if isinstance(route, APIRoute)))

    @cache
    def adapter() -> Mangum:  # opens an event loop, which importing must not
        return Mangum(app, lifespan="off", text_mime_types=["application/json", MEDIA_TYPE, "text/"])

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        configure_logging(services().settings.log_level)
        answer: dict[str, Any] = adapter()(event, context)
        return answer if _fits(answer) else _refusal()

    return handler


def _fits(answer: dict[str, Any]) -> bool:
    """Whether Lambda takes the answer, which it counts as JSON; only one that may be too large is counted."""
    return len(answer["body"]) < MAX_ANSWER_BYTES / LONGEST_ESCAPE or len(json.dumps(answer)) < MAX_ANSWER_BYTES


def _refusal() -> dict[str, Any]:
    refused = problem(AnswerTooLarge())
    body = bytes(refused.body).decode()
    return {"statusCode": refused.status_code, "headers": dict(refused.headers), "body": body, "isBase64Encoded": False}


class RequestScope:
    """What holds for every request: an id, a limit on the body's size, metrics, safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id.set(_id_of(scope, headers))
        body = _Limited(receive, services().settings.max_upload_bytes + FORM_OVERHEAD)
        response = _Observed(scope, send)

        async def unless_refused(message: Message) -> None:
            if body.refused is None:
                await response(message)

        try:
            body.check(headers.get(b"content-length", b"0"))
            await self._app(scope, body, unless_refused)
        except Exception:
            if body.refused is None:
                log.exception("unexpected error")
                if response.started:
                    raise
                await problem(InternalError())(scope, receive, response)
        finally:
            if body.refused:
                await problem(body.refused)(scope, receive, response)
            response.record()


def _id_of(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The client's request id where it is a sane one, or API Gateway's, or a new one."""
    given = headers.get(b"x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given.decode()
    event = scope.get("aws.event") or {}
    return str(event.get("requestContext", {}).get("requestId") or uuid4())


class _Limited:
    """A request's body; once it is longer than allowed, it is refused and the answer says so."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit
        self.refused: TooLarge | None = None

    def check(self, announced: bytes) -> None:
        """Refuse a body whose announced length is too much before any of it is read."""
        if announced.isdigit() and int(announced) > self._limit:
            raise self._refusal()

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._refusal()
        return message

    def _refusal(self) -> TooLarge:
        detail = f"A request may have at most {self._limit} bytes: use an upload form for larger files."
        self.refused = TooLarge(detail)
        return self.refused


class _Observed:
    """A response on its way out: its headers completed, its status and duration recorded."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = perf_counter()
        self._ended: float | None = None
        self._status = 500
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._status = message["status"]
            message["headers"] = [
                *message["headers"],
                (b"x-request-id", request_id.get().encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._ended = perf_counter()

    def record(self) -> None:
        route = self._scope.get("route")
        labels = {"method": self._scope["method"], "endpoint": getattr(route, "path", "unknown")}
        metrics = services().metrics
        metrics.count("rag_requests_total", status=str(self._status), **labels)
        metrics.observe("rag_request_duration_seconds", (self._ended or perf_counter()) - self._started, **labels)
