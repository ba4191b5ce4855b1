"""From a router to an ASGI application and from there to a Lambda handler."""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, FastAPI
from mangum import Mangum
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modulo import __version__
from modulo.domain.errors import InternalError, TooLarge
from modulo.ports.deadline import within
from modulo.runtime.cross_origin import CrossOriginMiddleware
from modulo.runtime.custom_domain import without_base_path
from modulo.runtime.methods import METHODS, MethodsMiddleware
from modulo.runtime.problems import (
    ANSWER,
    MEDIA_TYPE,
    UNKNOWN,
    Answer,
    AnswerTooLarge,
    handle_problems,
    problem,
    problem_answer,
    route_of,
)
from modulo.runtime.rate_limits import ANNOUNCED
from modulo.runtime.snapshot import preload_in_snapshots
from modulo.runtime.spans import Origin, Span, span
from modulo.runtime.telemetry import add_log_fields, begin_trace, ended, ids_of, invocation, outcome_of, request_id
from modulo.services import services

log = logging.getLogger(__name__)
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
DESCRIPTION = "Serverless, multi-tenant retrieval-augmented generation."
FORMAT_BYTES: Final = 256 * 1024
"""What a form or JSON may take besides the content: a body of 4 MB and this is within what Lambda takes as base64."""
MAX_ANSWER_BYTES: Final = 6 * 1024**2
MAX_ESCAPE_BYTES: Final = 6
"""How many bytes JSON takes for one character at most."""
SERVER_ERROR: Final = 500
POLICY: Final = b"ratelimit-policy"
NO_STORE: Final = (b"cache-control", b"no-store")
"""Of every response that does not say otherwise, since most hold what one tenant may see."""
TRACE_RESPONSE: Final = "traceresponse"
"""The header that tells whoever asked of the trace, as the W3C drafts it: errors of `/v1` have no member for that."""
REQUEST_ID: Final = "x-request-id"
IDS: Final = frozenset({REQUEST_ID, TRACE_RESPONSE})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,100}")


def application(
    *routers: APIRouter,
    prefix: str = "",
    answers: Mapping[str, Answer] | None = None,
    max_body_bytes: float | None = None,
) -> FastAPI:
    """One ASGI application of one or of all functions' routers.

    `answers` says by the beginning of a path how an error is told there; elsewhere it is a problem. `max_body_bytes` is
    of a request; default: what a direct upload may have.
    """
    app = FastAPI(
        title="Modulo",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router, prefix=prefix)
    handle_problems(app)
    app.add_middleware(MethodsMiddleware)
    app.add_middleware(RequestMiddleware, answers=answers or {}, max_body_bytes=max_body_bytes)
    app.add_middleware(CrossOriginMiddleware)  # the outermost, so that errors of the others can be read too
    return app


class HttpFunction:
    """A function behind API Gateway: a Lambda handler, and the ASGI application that a client which streams runs.

    `uses` names the ports of `Services` that its endpoint uses.
    """

    def __init__(self, application: FastAPI, answer: Answer, uses: Sequence[str]) -> None:
        self.application = application
        self.uses = uses
        self._answer = answer

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """API Gateway's event in, its response out."""
        with invocation(context):
            response: dict[str, Any] = self._adapter(without_base_path(event), context)
            return response if _fits(response) else _refusal(self._answer, response)

    @cached_property
    def _adapter(self) -> Mangum:  # opens an event loop, which importing must not
        return Mangum(self.application, lifespan="off", text_mime_types=["application/json", MEDIA_TYPE, "text/"])


def handler_of(router: APIRouter, *, uses: Sequence[str] = (), answer: Answer = problem_answer) -> HttpFunction:
    """The Lambda handler of a function.

    `uses` names the ports of `Services` that its endpoint uses, which a SnapStart snapshot and a server hold ready.
    `answer` is how its door tells errors.
    """
    preload_in_snapshots(uses)
    return HttpFunction(application(router, answers={"/": answer}), answer, uses)


def _fits(answer: dict[str, Any]) -> bool:
    """Whether the answer is within Lambda's limit, which is on its JSON; a short one is not serialised to find out."""
    return len(answer["body"]) < MAX_ANSWER_BYTES / MAX_ESCAPE_BYTES or len(json.dumps(answer)) < MAX_ANSWER_BYTES


def _refusal(answer: Answer, refused: Mapping[str, Any]) -> dict[str, Any]:
    """A problem in place of an answer, under the ids that the answer told."""
    listed = {name: values[0] for name, values in (refused.get("multiValueHeaders") or {}).items()}
    told = {name: value for name, value in {**(refused.get("headers") or {}), **listed}.items() if name in IDS}
    request_id.set(told[REQUEST_ID])
    begin_trace(told[TRACE_RESPONSE])
    made = problem(AnswerTooLarge(), {ANSWER: answer})
    body = bytes(made.body).decode()
    headers = {**made.headers, **told}
    return {"statusCode": made.status_code, "headers": headers, "body": body, "isBase64Encoded": False}


class RequestMiddleware:
    """Gives every request an id, a limit on its body, metrics, one log line and safe headers."""

    def __init__(
        self, app: ASGIApp, answers: Mapping[str, Answer] | None = None, max_body_bytes: float | None = None
    ) -> None:
        self._app = app
        self._answers = answers or {}
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        for beginning, answer in self._answers.items():
            if scope["path"].startswith(beginning):
                scope[ANSWER] = answer
        request_id.set(_id_of(scope, headers))
        trace = begin_trace(_told_trace(scope))
        add_log_fields(request_id=request_id.get())
        body = _LimitedBody(receive, self._max_body_bytes or services().settings.max_upload_bytes + FORMAT_BYTES)
        response = _MeasuredResponse(scope, send, trace.header)

        async def unless_refused(message: Message) -> None:
            if body.refused is None:
                await response(message)

        with span(_label(scope["method"]), Origin.request) as step:
            try:
                body.check(headers.get(b"content-length", b"0"))
                with within(services().settings.request_seconds):
                    await self._app(scope, body, unless_refused)
            except Exception as error:
                if body.refused is None:
                    step.outcome = outcome_of(error)
                    log.exception("%s %s failed with an unexpected error", _label(scope["method"]), route_of(scope))
                    if response.started:
                        raise
                    await problem(InternalError(), scope)(scope, receive, response)
            finally:
                if body.refused:
                    await problem(body.refused, scope)(scope, receive, response)
                response.record(step)


def _id_of(scope: Scope, headers: dict[bytes, bytes]) -> str:
    """The client's X-Request-Id where it is well-formed, else API Gateway's, else a new one."""
    given = headers.get(REQUEST_ID.encode())
    if given and _REQUEST_ID.fullmatch(given):
        return given.decode()
    event = scope.get("aws.event") or {}
    return str(event.get("requestContext", {}).get("requestId") or uuid4())


def _told_trace(scope: Scope) -> str | None:
    """The client's traceparent; None where there are several, as none of them counts."""
    told = [value for name, value in scope["headers"] if name == b"traceparent"]
    return told[0].decode("latin-1") if len(told) == 1 else None


class _LimitedBody:
    """A request's body; reading more than the limit raises `TooLarge`, and the answer says so."""

    def __init__(self, receive: Receive, limit: float) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit
        self.refused: TooLarge | None = None

    def check(self, announced: bytes) -> None:
        """Refuse a body by its Content-Length, before any of it is read."""
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


class _MeasuredResponse:
    """Sends a response with the headers that every response has, and measures it."""

    def __init__(self, scope: Scope, send: Send, trace: str) -> None:
        self._scope = scope
        self._send = send
        self._trace = trace
        self._started = perf_counter()
        self._ended: float | None = None
        self._status = 500
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._status = message["status"]
            given = {name for name, _ in message["headers"]}
            policy = self._scope.get(ANNOUNCED)
            message["headers"] = [
                *message["headers"],
                (REQUEST_ID.encode(), request_id.get().encode()),
                (TRACE_RESPONSE.encode(), self._trace.encode()),
                (b"x-content-type-options", b"nosniff"),
                *(() if b"cache-control" in given else (NO_STORE,)),
                *(() if policy is None or POLICY in given else ((POLICY, policy.encode()),)),
            ]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._ended = perf_counter()

    def record(self, step: Span) -> None:
        """Count the request, log its one line, and describe it to whoever takes its span."""
        scope = self._scope
        method, path = _label(scope["method"]), route_of(scope)
        metrics = services().metrics
        metrics.count("rag_requests_total", status=str(self._status), method=method, endpoint=path)
        seconds = (self._ended or perf_counter()) - self._started
        metrics.observe("rag_request_duration_seconds", seconds, method=method, endpoint=path)
        if path != UNKNOWN:
            step.name = f"{method} {path}"
            step.attributes["http.route"] = path
        step.attributes |= {"http.request.method": method, "http.response.status_code": self._status}
        if self._status >= SERVER_ERROR and step.outcome is None:
            step.outcome = str(self._status)
        add_log_fields(**ids_of(scope.get("path_params", {})))
        log.info("%s %s", method, path, extra=ended(str(self._status), self._started))


def _label(method: str) -> str:
    return method if method in METHODS else "other"
