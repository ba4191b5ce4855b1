"""Everything on a port, in a thread, as `modulo serve` has it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import uvicorn
from fastapi import FastAPI

from modulo.cli.prefork import listener
from modulo.cli.serve import composed, config
from modulo.runtime import cloudevents
from modulo.runtime.threads import use_threads
from modulo.services import services
from tests.functions.conftest import LOOP, Api

SECONDS = 60


def composed_once() -> FastAPI:
    """The application of all functions, made once for all tests that would make the same: its routes take long."""
    settings = services().settings
    if settings.objects_through_server or settings.sign_in_folder:
        return composed()
    return _composed(cloudevents.enabled(settings), settings.metrics_token is not None)


@cache
def _composed(_takes_events: bool, _shows_metrics: bool) -> FastAPI:
    return composed()


@contextmanager
def served(*, threads: int | None = None, grace_seconds: int = 1) -> Iterator[str]:
    """The address at which the installed services are served."""
    listening = listener("127.0.0.1", 0)
    server = uvicorn.Server(config(composed_once(), grace_seconds=grace_seconds))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    use_threads(threads)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        use_threads(None)
        asyncio.set_event_loop(LOOP)
        assert not thread.is_alive()
        listening.close()


def key_of(api: Api) -> str:
    return api.headers["authorization"].removeprefix("Bearer ")
