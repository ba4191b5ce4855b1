"""The local model server: embeddings and reranking."""

import sys

from modulo.cli.stack.process import HOST, Program, answers_http
from modulo.cli.stack.service import Service


class Models(Service):
    """`modulo models`."""

    name = "models"

    def program(self, port: int) -> Program:
        """The command that an operator would type."""
        options = ["models", "--host", HOST, "--port", str(port)]
        return Program([sys.executable, "-m", "modulo.cli.main", *options], inherit=True)

    def ready(self, port: int) -> bool:
        """Ask for its health."""
        return answers_http(port, "/health")

    def environment(self, port: int) -> dict[str, str]:
        """Where the product finds both models."""
        address = f"http://{HOST}:{port}/v1"
        return {"EMBEDDING_URL": address, "RERANK_URL": address}
