"""The door over HTTP: messages without sessions, so that any process may answer any of them."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from modulo.domain.errors import Forbidden, ModuloError, Unauthenticated, UnsupportedMediaType
from modulo.domain.tenancy.identity import Scope
from modulo.lean_imports import in_lambda
from modulo.runtime.auth import authorize, credential_of
from modulo.runtime.cross_origin import allowed_origin
from modulo.runtime.endpoint import Later  # noqa: TC001 - FastAPI reads it at runtime
from modulo.runtime.mcp_door.visit import Visit
from modulo.runtime.problem_details import details
from modulo.runtime.snapshot import made_ahead
from modulo.runtime.strict_route import JSON
from modulo.services import services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

DOOR: Final = "/mcp"
METADATA: Final = "/.well-known/oauth-protected-resource"
"""Where RFC 9728 puts the description of a protected resource; the resource's own path follows."""
FORWARDED_HOST: Final = "x-forwarded-host"
"""The header in which CloudFront tells the name that the client knows (infra/edge.yaml)."""
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}")
SERVER_ERROR: Final = -32_000
"""The code of JSON-RPC for errors of a server's own kinds."""


class NotAcceptable(ModuloError):
    """The client does not say that it reads JSON, which every answer is."""

    status = 406
    title = "Not acceptable"


def mcp_router(door: str) -> APIRouter:
    """The routes of the door at a path, of all collections and of one; and of their descriptions, wherever it is.

    A function's API has the door in its stage, which the path of a description does not begin with. The description at
    the root is for clients that know no other address.
    """
    router = APIRouter()
    for suffix in ("", "/{collection}"):
        router.add_api_route((door + suffix) or "/", _exchange, methods=["POST"], include_in_schema=False)
    for described in ("", DOOR, DOOR + "/{collection}"):
        router.add_api_route(METADATA + described, _metadata, methods=["GET"], include_in_schema=False)
    return router


async def _exchange(request: Request, later: Later, collection: str | None = None) -> Response:
    try:
        _check_origin(request)
        caller = await authorize(credential_of(request), Scope.read)
        _check_types(request)
    except ModuloError as error:
        return _refusal(request, error, collection)
    return await load_server()(request, Visit(caller, address_of(request), later, collection))


async def _metadata(request: Request, collection: str | None = None) -> dict[str, Any]:
    issuer = services().settings.oidc_issuer
    return {
        "resource": _resource(request, collection),
        **({"authorization_servers": [issuer]} if issuer else {}),
        "scopes_supported": [scope.value for scope in Scope],
        "bearer_methods_supported": ["header"],
        "resource_name": "Modulo",
    }


def _resource(request: Request, collection: str | None) -> str:
    return address_of(request) + DOOR + (f"/{collection}" if collection else "")


def address_of(request: Request) -> str:
    """The server's address, without a path: as set, else as this request was sent to.

    CloudFront asks API Gateway under its own name, and tells the client's in a header. Who sets that header without it
    deceives only itself, as no cache keeps what is answered.
    """
    chosen = services().settings.public_url
    if chosen:
        return chosen.rstrip("/")
    event = request.scope.get("aws.event") or {}
    domain = event.get("requestContext", {}).get("domainName")  # local gateways and load balancers tell none
    if not domain:
        return str(request.base_url).rstrip("/")
    forwarded = request.headers.get(FORWARDED_HOST, "")
    return f"https://{forwarded if _HOST.fullmatch(forwarded) else domain}"


def _check_origin(request: Request) -> None:
    """A page of another origin may not speak for its reader, whose browser may reach what the page cannot.

    Raises:
        Forbidden: the origin is neither this server's own nor allowed.
    """
    origin = request.headers.get("origin")
    if origin is None or allowed_origin(request.scope) is not None:
        return
    if urlsplit(origin).netloc not in (request.headers.get("host"), urlsplit(address_of(request)).netloc):
        raise Forbidden("Pages of this origin may not call: ALLOWED_ORIGINS names those that may.")


def _check_types(request: Request) -> None:
    """Check what the body is said to be, and what the client says it can read.

    Raises:
        UnsupportedMediaType: the message is not said to be JSON.
        NotAcceptable: the client does not say that it reads JSON.
    """
    given = _media_type(request.headers.get("content-type", ""))
    if given != JSON:
        raise UnsupportedMediaType(
            f"A message has to be {JSON}, and its Content-Type says {given[:100] or 'nothing'!r}."
        )
    taken = request.headers.get("accept", "")
    if not {_media_type(one) for one in taken.split(",")} & {JSON, "application/*", "*/*"}:
        raise NotAcceptable(f"Answers are {JSON}, and Accept says {taken[:100] or 'nothing'!r}.")


def _media_type(told: str) -> str:
    return told.partition(";")[0].strip().lower()


def _refusal(request: Request, error: ModuloError, collection: str | None) -> JSONResponse:
    headers = {}
    if isinstance(error, Unauthenticated):
        described = address_of(request) + METADATA + DOOR + (f"/{collection}" if collection else "")
        scopes = " ".join(Scope)
        headers["WWW-Authenticate"] = f'Bearer resource_metadata="{described}", scope="{scopes}"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return rpc_answer(details(error), headers)


def rpc_answer(body: Mapping[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    """A problem's members as an error of JSON-RPC, of no request as none was read."""
    told = {"code": SERVER_ERROR, "message": body["detail"], "data": body}
    answer = {"jsonrpc": "2.0", "id": None, "error": told}
    return JSONResponse(answer, status_code=body["status"], headers=dict(headers))


@cache
def load_server() -> Callable[[Request, Visit], Awaitable[Response]]:
    """What answers messages, whose packages take a second of the processor: only who uses the door loads them."""
    if in_lambda(os.environ) and not made_ahead(os.environ):
        import_module("modulo.lean_mcp_sdk").load_sdk()
    answer: Callable[[Request, Visit], Awaitable[Response]] = import_module("modulo.runtime.mcp_door.exchange").exchange
    return answer
