"""Milvus Lite as a server process: only one process may open its files."""

import signal
import sys

from modulo.cli.stack.process import HOST, Program, exchange
from modulo.cli.stack.service import Service

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))  # with empty SETTINGS
SETTINGS_FRAME = 4


class Milvus(Service):
    """The vector store."""

    name = "milvus"

    def program(self, port: int) -> Program:
        """The server; it closes its files only on SIGINT."""
        options = ["server", "--data-dir", str(self.data), "--host", HOST, "--port", str(port)]
        return Program([sys.executable, "-m", "modulo.cli.stack.milvus_server", *options], stop=signal.SIGINT)

    def ready(self, port: int) -> bool:
        """Whether it answers an HTTP/2 preface with a SETTINGS frame. A gRPC client would take a second to import."""
        answer = exchange(port, HTTP2_PREFACE)
        return len(answer) > 3 and answer[3] == SETTINGS_FRAME

    def environment(self, port: int) -> dict[str, str]:
        """Address and index type: FLAT, because Milvus Lite filters after an HNSW search and loses hits."""
        return {"MILVUS_URI": f"http://{HOST}:{port}", "MILVUS_INDEX": "FLAT"}
