"""Everything on a port, in a thread, as `modulo serve` has it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from modulo.cli.prefork import listener
from modulo.cli.serve import composed, config
from modulo.runtime.threads import use_threads
from tests.functions.conftest import LOOP, Api

SECONDS = 60


@contextmanager
def served(*, threads: int | None = None, grace_seconds: int = 1) -> Iterator[str]:
    """The address at which the installed services are served."""
    listening = listener("127.0.0.1", 0)
    server = uvicorn.Server(config(composed(), grace_seconds=grace_seconds))
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
