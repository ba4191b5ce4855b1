"""A small language model behind an OpenAI-compatible API: enough to exercise that path, not to please."""

import sys

from modulo.cli.stack.process import HOST, Program, answers_http
from modulo.cli.stack.service import Service, kept_secret, private_directory

MODEL = "SmolLM2-135M-Instruct"


class Llm(Service):
    """SmolLM2 served by llama.cpp."""

    name = "llm"

    def prepare(self) -> None:
        """Make the API key."""
        private_directory(self.data)
        kept_secret(self.data / "key")

    def program(self, port: int) -> Program:
        """The server, as a process of its own."""
        return Program([sys.executable, "-m", "modulo.cli.stack.llm_server", str(port), str(self.data / "key")])

    def ready(self, port: int) -> bool:
        """Ask for its health: it answers 503 until the model is loaded."""
        return answers_http(port, "/health")

    def environment(self, port: int) -> dict[str, str]:
        """The settings that choose it as the generator."""
        return {
            "GENERATOR": "openai",
            "GENERATOR_URL": f"http://{HOST}:{port}/v1",
            "GENERATOR_MODEL": MODEL,
            "GENERATOR_API_KEY": (self.data / "key").read_text(),
            "GENERATOR_MAX_TOKENS": "200",  # some 20 s to read a prompt on one core, and 40 tokens a second then
            "MODEL_TIMEOUT_SECONDS": "180",
        }
