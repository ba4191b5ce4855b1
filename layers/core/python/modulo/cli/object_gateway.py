"""`/objects`: stored objects for clients that do not reach the object store, such as other machines of `modulo up`.

Only what presigned forms and addresses need gets through: POST of a form to the bucket, GET and HEAD of a key with a
signature. The store checks what is signed. Signatures name the store's own host, to which requests go from here, so
that clients may use any name of this server.

Objects have the console's origin here, and anybody may have written them: browsers keep them as files in a sandbox.
"""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from math import inf
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

import anyio
import httpx
from fastapi import APIRouter, FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from modulo.domain.errors import Forbidden, InvalidRequest, NotConfigured, TooLarge, Unavailable, UnsupportedMediaType
from modulo.ports.object_address import object_address
from modulo.runtime.http import FORMAT_BYTES, application
from modulo.runtime.mcp_door.http import address_of
from modulo.services import services

PREFIX: Final = "/objects"
FORM: Final = "multipart/form-data"
TRANSFERS: Final = 32
"""At a time, in each process; one more waits for a moment and is then refused."""
TIMEOUT: Final = httpx.Timeout(60, connect=3, pool=5)
"""Of each step of the store's; a client's own steps have those of the HTTP connection."""
REQUIRED: Final = frozenset(
    f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
)
ALLOWED: Final = REQUIRED | {
    "X-Amz-Security-Token",
    "versionId",
    "response-content-disposition",
    "response-content-type",
}
FIXED: Final = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-SignedHeaders": "host"}
ASKED: Final = ("range", "if-range")
ANSWERED: Final = (
    *("accept-ranges", "content-disposition", "content-length", "content-range", "content-type"),
    *("etag", "last-modified", "retry-after"),
)
SANDBOX: Final = "default-src 'none'; sandbox"
UNSIGNED: Final = "The address is none that the API signed: ask for the file's content, and follow where that leads."
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
"""As all keys are: nothing in one leads to another folder, or is read differently by the store."""


class ObjectGateway:
    """Serves `/objects`, and has the other paths' presigned forms and addresses lead there.

    Each names the server as the request did that asked for it, or as PUBLIC_URL says.
    """

    def __init__(self, app: ASGIApp, objects: FastAPI) -> None:
        self._app = app
        self._objects = objects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/"):
            await self._objects(scope, receive, send)
            return
        token = object_address.set(address_of(Request(scope)) + PREFIX)
        try:
            await self._app(scope, receive, send)
        finally:
            object_address.reset(token)


def stored_objects() -> FastAPI:
    """The application behind `/objects`, of the bucket that is configured.

    Raises:
        NotConfigured: the object store has no address of its own.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise NotConfigured("AWS_ENDPOINT_URL")
    settings = services().settings
    bucket = _Bucket(f"{endpoint.rstrip('/')}/{settings.address('blobs_bucket')}", settings.max_file_bytes)
    router = APIRouter()
    router.add_api_route(PREFIX, bucket.upload, methods=["POST"])
    router.add_api_route(PREFIX + "/{key:path}", bucket.download, methods=["GET"])
    return application(router, max_body_bytes=inf)  # `upload` has a limit of its own


class _Bucket:
    def __init__(self, address: str, max_file_bytes: int) -> None:
        self._address = address
        self._max_bytes = max_file_bytes + FORMAT_BYTES

    async def upload(self, request: Request) -> Response:
        """Pass a form on, whose policy the store checks."""
        if request.scope["query_string"]:
            raise Forbidden(UNSIGNED)
        form = request.headers.get("content-type", "")
        if form.partition(";")[0].strip().lower() != FORM:
            raise UnsupportedMediaType(f"An upload is a form of the type {FORM}, with the fields that the API gave.")
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise InvalidRequest("An upload has to announce its Content-Length.")
        if int(length) > self._max_bytes:
            raise TooLarge(f"An upload may have at most {self._max_bytes} bytes; this one has {length}.")
        headers = {"content-type": form, "content-length": length}
        try:
            return await self._passed(
                self._client.build_request("POST", self._address, headers=headers, content=request.stream())
            )
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody

    async def download(self, key: str, request: Request) -> Response:
        """Pass on what a presigned address leads to."""
        if not _KEY.fullmatch(key):
            raise Forbidden(UNSIGNED)
        address = f"{self._address}/{key}?{_signed(request.scope['query_string'])}"
        headers = {name: request.headers[name] for name in ASKED if name in request.headers}
        return await self._passed(self._client.build_request("GET", address, headers=headers))

    async def _passed(self, request: httpx.Request) -> Response:
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise Unavailable("The object store does not answer: try again shortly.", dependency="s3") from error
        if answer.is_redirect:
            await answer.aclose()
            raise Unavailable("The object store sends requests elsewhere.", dependency="s3")
        return _Answer(answer)

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        """No connection is kept: a form cannot be sent again where the store closed one meanwhile."""
        limits = httpx.Limits(max_connections=TRANSFERS, max_keepalive_connections=0)
        headers = {"accept-encoding": "identity"}
        return httpx.AsyncClient(headers=headers, timeout=TIMEOUT, limits=limits, trust_env=False)


class _Answer(StreamingResponse):
    """The store's answer, block by block; the connection to the store ends with it, or with the client's."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code, _headers(answer))
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._answer.aclose()


def _headers(answer: httpx.Response) -> Mapping[str, str]:
    kept = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
    return {"content-disposition": "attachment", **kept, "content-security-policy": SANDBOX}


def _signed(query: bytes) -> str:
    """The query of a presigned address, written anew.

    Raises:
        Forbidden: it is none.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=len(ALLOWED))
    except ValueError:
        raise Forbidden(UNSIGNED) from None
    found = dict(pairs)
    if len(found) < len(pairs) or not found.keys() >= REQUIRED or not found.keys() <= ALLOWED:
        raise Forbidden(UNSIGNED)
    if any(found[name] != value for name, value in FIXED.items()):
        raise Forbidden(UNSIGNED)
    return urlencode(pairs, quote_via=quote)
