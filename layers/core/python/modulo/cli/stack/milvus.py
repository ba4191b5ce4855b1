"""Milvus Lite as a server of its own: only one process may open its files."""

import signal
import sys

from modulo.cli.stack.process import HOST, Program, exchange
from modulo.cli.stack.service import Service

HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # with empty SETTINGS
SETTINGS_FRAME = 4


class Milvus(Service):
    """The vector store."""

    name = "milvus"

    def program(self, port: int) -> Program:
        """The server; it closes its files on SIGINT alone."""
        options = ["server", "--data-dir", str(self.data), "--host", HOST, "--port", str(port)]
        return Program([sys.executable, "-m", "milvus_lite.cmdline", *options], stop=signal.SIGINT)

    def ready(self, port: int) -> bool:
        """Whether gRPC answers a greeting with its own: cheaper than a client, which takes a second to load."""
        answer = exchange(port, HTTP2_GREETING)
        return len(answer) > 3 and answer[3] == SETTINGS_FRAME

    def environment(self, port: int) -> dict[str, str]:
        """Its address; the flat index, for Milvus Lite filters too late with HNSW and loses hits."""
        return {"MILVUS_URI": f"http://{HOST}:{port}", "MILVUS_INDEX": "FLAT"}
