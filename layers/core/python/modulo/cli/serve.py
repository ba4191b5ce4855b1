"""`modulo serve`: serve every HTTP function from one application."""

import importlib
import json
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.middleware.gzip import GZipMiddleware

from modulo.cli.documentation_site import add_documentation
from modulo.cli.http_protocol import TimedHttpProtocol
from modulo.cli.metrics_exposition import MEDIA_TYPE, metrics_exposition
from modulo.cli.object_gateway import ObjectGateway, stored_objects
from modulo.cli.pages import add_pages
from modulo.cli.prefork import STOP_SIGNALS, PreforkServer, exit_cleanly, listener
from modulo.cli.sign_in import sign_in_router
from modulo.cli.span_export import exporting
from modulo.cli.warm_start import warm_start
from modulo.runtime import cloudevents
from modulo.runtime import websockets as sockets
from modulo.runtime.answer_stream import StreamsWhereAccepted
from modulo.runtime.event_stream import open_streams
from modulo.runtime.http import application
from modulo.runtime.mcp_door.http import DOOR as MCP
from modulo.runtime.mcp_door.http import mcp_router, rpc_answer
from modulo.runtime.openai.door import V1_PREFIX, is_of_v1
from modulo.runtime.openai.errors import openai_answer
from modulo.runtime.telemetry import configure_logging
from modulo.runtime.threads import use_threads
from modulo.runtime.worker import function, function_names
from modulo.services import services

PREFIX = "/api"
THREADS = 32
"""Threads of each process: more than a pool's 20 + 10 connections, as a request waiting for a model holds none."""
GRACE_SECONDS = 30
MAX_CONNECTIONS = 1_000
"""Of each process; one more is answered 503."""
MIN_COMPRESSED_BYTES = 2_048
COMPRESSION = 3
"""Of gzip: on JSON almost as small as the highest level, in a quarter of the time."""
STOP_SECONDS = GRACE_SECONDS + 5


def composed() -> FastAPI:
    """One application with the routers of all functions, under the API's stage prefix."""
    # Routes are matched in order, so the most frequent comes first.
    names = sorted(function_names(), key=lambda name: name != "search")
    own, openai = (
        [function(name).router for name in names if is_of_v1(name) is door and hasattr(function(name), "router")]
        for door in (False, True)
    )
    app = application(*own, prefix=PREFIX, answers={V1_PREFIX: openai_answer, MCP: rpc_answer})
    for router in openai:
        app.include_router(router, prefix=V1_PREFIX)
    search = f"{PREFIX}/search"
    app.add_middleware(StreamsWhereAccepted, path=search, streaming_path=f"{search}/stream")
    app.add_api_route(f"{PREFIX}/openapi.json", _openapi(app), include_in_schema=False)
    if folder := services().settings.sign_in_folder:
        app.include_router(sign_in_router(Path(folder)), prefix=PREFIX)
    app.include_router(mcp_router(MCP))
    if cloudevents.enabled(services().settings):
        app.include_router(cloudevents.router)
    app.add_api_websocket_route(PREFIX + sockets.PATH, sockets.watch_socket)
    if services().settings.metrics_token is not None:
        app.add_api_route("/metrics", _metrics, include_in_schema=False)
    add_pages(app)
    add_documentation(app)
    app.add_middleware(GZipMiddleware, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=COMPRESSION)
    if services().settings.objects_through_server:  # the outermost, as the limit on other bodies is not its own
        app.add_middleware(ObjectGateway, objects=stored_objects())
    return app


def serve(host: str, port: int, workers: int = 1) -> None:
    """Serve until a stop signal; requests in progress are finished first.

    Raises:
        OSError: the port is in use.
        NotConfigured: spans are to be exported, and what exports them is not installed.
        WorkerFailed: one of several processes exited right after its start.
    """
    if workers == 1:
        serve_on(listener(host, port))
        return
    app = _configured()
    with tempfile.TemporaryDirectory(prefix="modulo-metrics-") as shared:
        # prometheus_client reads this on import, which happens in the forked processes.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
        each = partial(_serve_on, app, exporting())
        PreforkServer(host, port, workers, each, on_exit=_forget_metrics).run(STOP_SECONDS)


def serve_on(listening: socket.socket) -> None:
    """Serve on a listening socket in this process alone, until a stop signal.

    Raises:
        NotConfigured: spans are to be exported, and what exports them is not installed.
    """
    _serve_on(_configured(), exporting(), listening)


def _configured() -> FastAPI:
    os.environ.setdefault("METRICS", "prometheus")
    configure_logging(services().settings.log_level)
    return composed()


class _Server(uvicorn.Server):
    """Closes event streams on shutdown; uvicorn would otherwise wait for them until its timeout."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell streaming clients to reconnect, then shut down."""
        open_streams.shutting_down = True
        super().handle_exit(sig, frame)


def config(app: FastAPI, grace_seconds: int = GRACE_SECONDS) -> uvicorn.Config:
    """The uvicorn configuration."""
    return uvicorn.Config(
        app,
        http=TimedHttpProtocol,
        limit_concurrency=MAX_CONNECTIONS,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="wsproto",
        ws_max_size=sockets.MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # a small compressed message may expand to a large one
        proxy_headers=False,  # nothing uses the client address
        server_header=False,
        timeout_graceful_shutdown=grace_seconds,
    )


def _serve_on(app: FastAPI, spans: AbstractContextManager[None], listening: socket.socket) -> None:
    use_threads(THREADS)
    warm_start()
    for number in STOP_SIGNALS:  # uvicorn raises the captured signal again after shutdown
        signal.signal(number, exit_cleanly)
    try:
        with spans:  # in this process: the thread that sends them would not survive a fork
            _Server(config(app)).run(sockets=[listening])
    finally:
        services().close()


def _forget_metrics(process: int) -> None:
    importlib.import_module("modulo.adapters.prometheus_metrics").forget(process)


def _openapi(app: FastAPI) -> Callable[[], Awaitable[Response]]:
    """The document is made when it is first asked for."""

    @cache
    def document() -> bytes:
        described = importlib.import_module("modulo.cli.openapi_document").openapi_document(app)
        return json.dumps(described, ensure_ascii=False).encode()

    async def openapi() -> Response:
        return Response(document(), media_type="application/json", headers={"Cache-Control": "no-cache"})

    return openapi


async def _metrics(request: Request) -> Response:
    return Response(metrics_exposition(request.headers.get("authorization", "")), media_type=MEDIA_TYPE)
