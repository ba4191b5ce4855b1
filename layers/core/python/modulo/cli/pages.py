"""The pages that a server shows to people: the console, and the reference of the API."""

import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import FileResponse

CONSOLE = Path(__file__).with_name("console")
"""Where `make console` puts what it builds; missing where nothing was built."""
PAGE = Path(__file__).with_name("page")
HASHED = "assets/"
"""The folder of the console whose files have a hash of their content in their names."""


def add_pages(app: FastAPI, *, reference: str) -> None:
    """Serve the console at `/`, or a page that says how to build it, and the API's reference at its path."""
    pages = {**dict(_console()), reference: PAGE / "docs.html", f"{reference}.js": PAGE / "docs.js"}
    for path, file in {**pages, "/page.css": PAGE / "page.css"}.items():
        forever = HASHED in path
        app.add_api_route(path, _sender(file, forever=forever), include_in_schema=False)


def content_security_policy() -> str:
    """What a page may load and speak to: this server, and the object store that it uploads to by form."""
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    store = f"{endpoint.scheme}://{endpoint.netloc}" if endpoint.netloc else "https://*.amazonaws.com"
    return (
        f"default-src 'self'; connect-src 'self' {store}; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def _console() -> Iterator[tuple[str, Path]]:
    """Each file by its path. Only what is there now is served, so that no request can name another file."""
    if not (CONSOLE / "index.html").is_file():
        yield "/", PAGE / "index.html"
        return
    yield "/", CONSOLE / "index.html"
    for file in sorted(CONSOLE.rglob("*")):
        path = file.relative_to(CONSOLE).as_posix()
        if file.is_file() and not file.name.startswith(".") and path != "index.html":
            yield f"/{path}", file


def _sender(file: Path, *, forever: bool) -> Callable[[], Awaitable[FileResponse]]:
    kept = "public, max-age=31536000, immutable" if forever else "no-cache"
    headers = {
        "Content-Security-Policy": content_security_policy(),
        "Cache-Control": kept,
        "Referrer-Policy": "no-referrer",
    }

    async def page() -> FileResponse:
        return FileResponse(file, headers=headers)

    return page
