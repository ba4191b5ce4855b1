"""The process of the local cloud: MiniStack behind a guard, `python -m modulo.cli.stack.cloud_server`.

MiniStack's own addresses need no credentials, and one of them forgets all data: any web page open on
the machine could ask for it. The guard leaves the health check alone of them, and answers only those
who address this machine, so that a name that someone points at it opens nothing.
"""

import importlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from modulo.cli.stack.process import HOST

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

INTERNAL = ("/_ministack", "/_localstack", "/_aws")
HEALTH = "/_ministack/health"
APIS = "/restapis/"
"""Where deployed functions answer, the only ones that are spoken to on WebSockets."""


def is_allowed(path: str, host: str) -> bool:
    """Whether a request to the path under that Host header goes through."""
    return host.partition(":")[0] in {HOST, "localhost"} and (path == HEALTH or not path.startswith(INTERNAL))


def guarded(application: Application) -> Application:
    """The application behind the guard."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
            by_socket = scope["type"] == "websocket" and not scope["path"].startswith(APIS)
            if by_socket or not is_allowed(scope["path"], host):
                await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})
                return
        await application(scope, receive, send)

    return guard


def main() -> None:
    """Serve until told to stop."""
    # Queues are kept under their addresses, port included; without it here, they survive a change of port,
    # and callers get the address that they used themselves.
    port = os.environ.pop("GATEWAY_PORT")
    importlib.import_module("ministack.services.sqs")
    os.environ["GATEWAY_PORT"] = port
    ministack = importlib.import_module("ministack.app")
    ministack.app = guarded(ministack.app)  # type: ignore[attr-defined]  # it serves what the module holds
    ministack.main()


if __name__ == "__main__":
    main()
