"""The pages that a server shows to people: the console, and the reference of the API."""

import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, JSONResponse

from modulo.services import services

CONSOLE = Path(__file__).with_name("console")
"""Where `make console` puts what it builds; missing where nothing was built."""
PAGE = Path(__file__).with_name("page")
ASSET = re.compile(r"[\w-][\w.-]*", re.ASCII)
CONFIGURATION = "console.json"
"""Where the console reads what it cannot know when it is built."""
REFERENCE = "api/docs"
REFERENCE_FILES = {"page.css": PAGE / "page.css", REFERENCE: PAGE / "docs.html", f"{REFERENCE}.js": PAGE / "docs.js"}
"""The API's reference: its files, by their paths in a server."""
IMMUTABLE = "public, max-age=31536000, immutable"
"""How long what has its hash in its name is kept."""
REVALIDATED = "no-cache"


def add_pages(app: FastAPI) -> None:
    """Serve the console at `/`, or a page that says how to build it, and the API's reference.

    What was built is looked up when it is asked for, as it may be built anew while the server runs.
    """

    async def index() -> FileResponse:
        built = CONSOLE / "index.html"
        return _file(built if built.is_file() else PAGE / "index.html")

    async def icon() -> FileResponse:
        return _file(CONSOLE / "icon.svg")

    async def asset(name: str) -> FileResponse:
        if not ASSET.fullmatch(name):
            raise HTTPException(404)
        return _file(CONSOLE / "assets" / name, kept=IMMUTABLE)

    async def configuration() -> JSONResponse:
        return JSONResponse({"oidc": _oidc()}, headers={"Cache-Control": REVALIDATED})

    app.add_api_route("/", index, include_in_schema=False)
    app.add_api_route(f"/{CONFIGURATION}", configuration, include_in_schema=False)
    app.add_api_route("/icon.svg", icon, include_in_schema=False)
    app.add_api_route("/assets/{name}", asset, include_in_schema=False)
    for path, file in REFERENCE_FILES.items():
        app.add_api_route(f"/{path}", _sender(file), include_in_schema=False)


def content_security_policy() -> str:
    """What a page may load and speak to.

    This server, the object store that it uploads to by form unless that goes by way of this server, and the issuer
    where the console signs in. On AWS infra/edge.yaml has the same.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    allowed = ["'self'"]
    if not services().settings.objects_through_server:
        allowed.append(_origin(endpoint) or "https://*.amazonaws.com")
    if (oidc := _oidc()) is not None:
        allowed += filter(None, (_origin(oidc["issuer"]), oidc["token_origin"]))
    return (
        f"default-src 'self'; connect-src {' '.join(allowed)}; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _oidc() -> dict[str, str] | None:
    """What the console needs to sign people in at the issuer, where it is a client there; none of it is secret."""
    s = services().settings
    if s.oidc_issuer is None or s.oidc_client_id is None:
        return None
    return {
        "issuer": s.oidc_issuer,
        "client_id": s.oidc_client_id,
        "scope": s.oidc_scopes,
        "audience": s.oidc_audience or "",
        "token_origin": s.oidc_token_origin or "",
    }


def _origin(address: str) -> str:
    """Scheme, host and port of an address; empty where it has none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _sender(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return _file(file)

    return page


def _file(file: Path, kept: str = REVALIDATED) -> FileResponse:
    if not file.is_file():
        raise HTTPException(404)
    policy = {"Content-Security-Policy": content_security_policy(), "Referrer-Policy": "no-referrer"}
    return FileResponse(file, headers={**policy, "Cache-Control": kept})
