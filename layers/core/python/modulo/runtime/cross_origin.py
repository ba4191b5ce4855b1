"""Cross-origin requests (CORS, as the Fetch standard has it): which pages of other origins may call the API.

None may unless `ALLOWED_ORIGINS` names them. A credential is always sent by the page itself and never added by the
browser, so that `Access-Control-Allow-Credentials` is never needed, and `*` gives away nothing without a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from modulo.services import services

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY: Final = "*"
MAX_AGE_SECONDS: Final = 7_200
"""How long a browser may remember a preflight; Chromium keeps none longer."""
MAX_HEADERS: Final = 2_000
"""Characters of the names of headers that a preflight asks for."""
EXPOSED: Final = (
    "Allow, Location, Mcp-Session-Id, RateLimit, RateLimit-Policy, Retry-After, Traceresponse, WWW-Authenticate,"
    " X-Request-Id"
)
"""What a page may read beyond the few headers that browsers show anyway."""
_NAMES: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]*")


class CrossOriginMiddleware:
    """Tells the browser that a page of an allowed origin may read the response, whatever it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not services().settings.allowed_origins:
            await self._app(scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_headers(scope)]
            await send(message)

        await self._app(scope, receive, tell)


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    allowed = allowed_origin(scope)
    vary = [] if EVERY in services().settings.allowed_origins else [(b"vary", b"Origin")]
    if allowed is None:
        return vary
    return [
        (b"access-control-allow-origin", allowed.encode()),
        (b"access-control-expose-headers", EXPOSED.encode()),
        *vary,
    ]


def allowed_origin(scope: Scope) -> str | None:
    """What to answer to the request's origin: it, or that every one is allowed; None where it is not allowed."""
    origins = services().settings.allowed_origins
    origin = Headers(scope=scope).get("origin")
    if origin is None or EVERY in origins:
        return EVERY if EVERY in origins else None
    return origin if origin in origins else None


def preflight_headers(scope: Scope, methods: list[str]) -> dict[str, str]:
    """What a browser asks before it sends a request: which methods and headers it may send; nothing where it may not.

    Whatever headers are asked for are allowed, as SDKs send some of their own.
    """
    headers = Headers(scope=scope)
    if "access-control-request-method" not in headers or allowed_origin(scope) is None:
        return {}
    asked = headers.get("access-control-request-headers", "")
    names = asked if len(asked) <= MAX_HEADERS and _NAMES.fullmatch(asked) else ""
    return {
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": names or "Authorization, Content-Type, Idempotency-Key, X-API-Key",
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
