"""The local cloud's process: MiniStack behind a guard, `python -m modulo.cli.stack.cloud_server`.

MiniStack's internal endpoints need no credentials, and one of them deletes all data: any web page open in a browser
on this machine could call it. The guard blocks all of them but the health check, and the addresses where custom
resources answer, which hold a secret. It also rejects requests whose Host header is not this machine, which stops DNS
rebinding. Objects that do not fit on the disk are refused.
"""

import importlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from modulo.cli.stack.disk_space import refuse_when_full
from modulo.cli.stack.object_versions import serve_versions_as_s3
from modulo.cli.stack.process import HOST

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

INTERNAL = ("/_ministack", "/_localstack", "/_aws")
HEALTH = "/_ministack/health"
ANSWERS = "/_ministack/cfn-response/"
"""Path prefix for answers of custom resources; a random token follows."""
APIS = "/restapis/"
"""Path prefix of deployed APIs, the only ones that accept WebSockets."""


def is_allowed(path: str, host: str) -> bool:
    """Whether the guard passes a request for this path with this Host header."""
    internal = path.startswith(INTERNAL) and path != HEALTH and not path.startswith(ANSWERS)
    return host.partition(":")[0] in {HOST, "localhost"} and not internal


def guarded(application: Application) -> Application:
    """Wrap the application in the guard."""

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
    """Serve until a stop signal."""
    # MiniStack stores queues under their URLs. Without the port in its configuration, queues survive a change of port,
    # and each caller gets the URL that it used.
    port = os.environ.pop("GATEWAY_PORT")
    importlib.import_module("ministack.services.sqs")
    os.environ["GATEWAY_PORT"] = port
    s3 = importlib.import_module("ministack.services.s3")
    refuse_when_full(s3)
    serve_versions_as_s3(s3)
    ministack = importlib.import_module("ministack.app")
    ministack.app = guarded(ministack.app)  # type: ignore[attr-defined]  # import_module gives a plain module
    ministack.main()


if __name__ == "__main__":
    main()
