"""A small language model behind an OpenAI-compatible API: exercises the code path, not answer quality."""

import sys

from modulo.cli.stack.process import HOST, Program, answers_http
from modulo.cli.stack.service import Service, kept_secret, private_directory

MODEL = "SmolLM2-135M-Instruct"


class Llm(Service):
    """SmolLM2 served by llama.cpp."""

    name = "llm"

    def prepare(self) -> None:
        """Create the API key."""
        private_directory(self.data)
        kept_secret(self.data / "key")

    def program(self, port: int) -> Program:
        """The server process."""
        return Program([sys.executable, "-m", "modulo.cli.stack.llm_server", str(port), str(self.data / "key")])

    def ready(self, port: int) -> bool:
        """Query its health endpoint, which answers 503 until the model is loaded."""
        return answers_http(port, "/health")

    def environment(self, port: int) -> dict[str, str]:
        """The settings that select it as the generator."""
        return {
            "GENERATOR": "openai",
            "GENERATOR_URL": f"http://{HOST}:{port}/v1",
            "GENERATOR_MODEL": MODEL,
            "GENERATOR_API_KEY": (self.data / "key").read_text(),
            "GENERATOR_MAX_TOKENS": "200",  # on one core: about 20 s for the prompt, then 40 tokens a second
            "MODEL_TIMEOUT_SECONDS": "180",
        }
