"""The website of the documentation, served from where `make site` builds it."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "site"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Styles stand in its pages, for the columns of tables; scripts do not."""
MISSING = (
    "The documentation is not built here (`make up` does it meanwhile): run `make site`, then load this page again.\n"
)
UNKNOWN = "The documentation has no such page. It begins at /docs.\n"
START = "/docs/index.html"


class DocumentationSite(StaticFiles):
    """Its files; where it is not built, a line that says how to build it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._folder = folder

    async def check_config(self) -> None:
        """Nothing: the folder may be built later."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        """A file, or why there is none."""
        if not (self._folder / "index.html").is_file():
            return PlainTextResponse(MISSING, status_code=404)
        try:
            answer = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            return PlainTextResponse(UNKNOWN, status_code=404)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def add_documentation(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the website at `/docs`."""

    async def first_page() -> RedirectResponse:
        return RedirectResponse(START)

    app.add_api_route("/docs", first_page, include_in_schema=False)
    app.mount("/docs", DocumentationSite(folder))
