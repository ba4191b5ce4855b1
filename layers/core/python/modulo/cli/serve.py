"""`modulo serve`: every HTTP function in one server."""

import importlib
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from modulo.cli.processes import STOP_SIGNALS, Processes, leave, listener
from modulo.runtime import cloudevents, sockets
from modulo.runtime.calls import use_threads
from modulo.runtime.http import application
from modulo.runtime.telemetry import configure_logging
from modulo.runtime.watching import watchers
from modulo.runtime.worker import function, function_names
from modulo.services import services

PREFIX = "/api"
THREADS = 32
"""Of each process; more than a pool's 20 + 10 connections: who waits for a model has a thread and no connection."""
GRACE_SECONDS = 30
STOP_SECONDS = GRACE_SECONDS + 5
POLICY = "default-src 'self'; img-src data:; connect-src *; frame-ancestors 'none'"
PAGE = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}


def composed() -> FastAPI:
    """The application of all functions that have a router, under the prefix that the API's stage has."""
    # Routes are tried in turn, and each costs a little: what is asked most stands first.
    modules = [function(name) for name in sorted(function_names(), key=lambda name: name != "search")]
    app = application(*(module.router for module in modules if hasattr(module, "router")), prefix=PREFIX)
    if cloudevents.wanted(services().settings):
        app.include_router(cloudevents.router)
    app.add_api_websocket_route(PREFIX + sockets.PATH, sockets.watch_socket)
    app.add_api_route("/metrics", _metrics, include_in_schema=False)
    for path, name in PAGE.items():
        app.add_api_route(path, _sender(name), include_in_schema=False)
    return app


def serve(host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped; requests under way are finished first.

    Raises:
        OSError: the port is taken.
        BrokenProcess: one of several processes could not serve.
    """
    os.environ.setdefault("METRICS", "prometheus")
    configure_logging(services().settings.log_level)
    serve_on = partial(_serve_on, composed())
    if workers == 1:
        serve_on(listener(host, port))
        return
    with tempfile.TemporaryDirectory(prefix="modulo-metrics-") as shared:
        # Read by the metrics' library where it is imported, which is in the processes to come.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        Processes(host, port, workers, serve_on, on_death=_forget).run(STOP_SECONDS)


class _Server(uvicorn.Server):
    """One that asks those who watch to come back before it stops; they would wait for it, and it for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        watchers.ending = True
        super().handle_exit(sig, frame)


def config(app: FastAPI, grace_seconds: int = GRACE_SECONDS) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="wsproto",
        ws_max_size=sockets.MAX_MESSAGE,
        ws_per_message_deflate=False,  # what is small packed may be large
        proxy_headers=False,  # nothing here depends on who a proxy says the client is
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
    )


def _serve_on(app: FastAPI, listening: socket.socket) -> None:
    use_threads(THREADS)
    for number in STOP_SIGNALS:  # which uvicorn raises once more when it has stopped
        signal.signal(number, leave)
    try:
        _Server(config(app)).run(sockets=[listening])
    finally:
        services().close()


def _forget(process: int) -> None:
    importlib.import_module("modulo.adapters.prometheus_metrics").forget(process)


def _sender(name: str) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(Path(__file__).parent / "page" / name, headers={"Content-Security-Policy": POLICY})

    return page


async def _metrics() -> Response:
    exposition = getattr(services().metrics, "exposition", bytes)
    return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
