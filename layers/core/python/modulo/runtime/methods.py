"""Methods that paths have besides their own (RFC 9110): HEAD where there is GET, and OPTIONS, which names them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from modulo.runtime.cross_origin import preflight_headers
from modulo.runtime.fixed_paths import fixed_methods

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""Those that a path may have, and that metrics tell apart; a client may make up any number of others."""
_FOUND: Final = ("endpoint", "path_params", "route")
"""What routing adds to a request's scope."""


class MethodsMiddleware:
    """Answers OPTIONS before anything asks for a credential, and HEAD as GET without the body.

    A path may end in one slash too many, which leads to the same route instead of a redirect that loses the scheme
    behind a proxy, and in many clients the credential and the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if len(path) > 1 and path.endswith("/"):
                scope["path"] = path[:-1]
            if scope["method"] == "OPTIONS" and (allowed := allowed_methods(scope)):
                await _options(scope, allowed)(scope, receive, send)
                return
            if scope["method"] == "HEAD":
                await self._head(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        get = {**scope, "method": "GET"}
        try:
            await self._app(get, receive, _WithoutBody(send))
        except _Answered:
            pass
        finally:
            scope.update({name: get[name] for name in _FOUND if name in get})


class _Answered(Exception):
    """Ends a response that would go on."""


class _WithoutBody:
    """Sends the head of a response; an endless one is cut off there."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
            await self._send({"type": "http.response.body", "body": b""})
        elif message.get("more_body"):
            raise _Answered


def allowed_methods(scope: Scope) -> list[str]:
    """The methods of the path of a request; none where there is no such path."""
    routes: list[BaseRoute] = scope["app"].router.routes
    possible = fixed_methods(scope["path"]) or METHODS
    allowed = [method for method in possible if _match(routes, {**scope, "method": method})]
    if not allowed:
        return []
    return sorted({*allowed, "OPTIONS", *(("HEAD",) if "GET" in allowed else ())})


def _match(routes: list[BaseRoute], scope: Scope) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _options(scope: Scope, allowed: list[str]) -> Response:
    return Response(status_code=204, headers={"Allow": ", ".join(allowed), **preflight_headers(scope, allowed)})
