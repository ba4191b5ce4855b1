"""`modulo serve`: every HTTP function in one server."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from modulo.adapters.prometheus_metrics import PrometheusMetrics
from modulo.runtime.calls import use_threads
from modulo.runtime.http import application
from modulo.runtime.telemetry import configure_logging
from modulo.runtime.worker import function, function_names
from modulo.services import services

PREFIX = "/api"
THREADS = 32
POLICY = "default-src 'self'; img-src data:; connect-src *; frame-ancestors 'none'"
PAGE = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}


def composed() -> FastAPI:
    """The application of all functions that have a router, under the prefix that the API's stage has."""
    modules = [function(name) for name in function_names()]
    app = application(*(module.router for module in modules if hasattr(module, "router")), prefix=PREFIX)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    for path, name in PAGE.items():
        app.add_api_route(path, _sender(name), include_in_schema=False)
    return app


def serve(host: str, port: int) -> None:
    """Serve until stopped; requests under way are finished first."""
    os.environ.setdefault("METRICS", "prometheus")
    configure_logging(services().settings.log_level)
    use_threads(THREADS)
    uvicorn.run(composed(), host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=30)
    services().close()


def _sender(name: str) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(Path(__file__).parent / "page" / name, headers={"Content-Security-Policy": POLICY})

    return page


async def _metrics() -> Response:
    metrics = services().metrics
    content = metrics.exposition() if isinstance(metrics, PrometheusMetrics) else b""
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")
