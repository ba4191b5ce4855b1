"""The local model server as a service of the stack."""

import sys

from modulo.cli.stack.process import HOST, Program, answers_http, plain_environment
from modulo.cli.stack.service import Service, kept_secret, private_directory


class Models(Service):
    """Embeddings and reranking, served by `modulo models`."""

    name = "models"

    def prepare(self) -> None:
        """Create the API key."""
        private_directory(self.data)
        kept_secret(self.data / "key")

    def program(self, port: int) -> Program:
        """The `modulo models` command."""
        options = ["models", "--host", HOST, "--port", str(port)]
        environment = {**plain_environment(), "MODEL_SERVER_API_KEY": self._key()}
        return Program([sys.executable, "-m", "modulo.cli.main", *options], environment)

    def ready(self, port: int) -> bool:
        """Query its health endpoint."""
        return answers_http(port, "/health")

    def environment(self, port: int) -> dict[str, str]:
        """URLs and API keys of both models."""
        address = f"http://{HOST}:{port}/v1"
        keys = {"EMBEDDING_API_KEY": self._key(), "RERANK_API_KEY": self._key()}
        return {"EMBEDDING_URL": address, "RERANK_URL": address, **keys}

    def _key(self) -> str:
        return (self.data / "key").read_text()
