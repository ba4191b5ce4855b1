"""An embedder without a model behind OpenAI's protocol: signed feature hashing (Weinberger et al., 2009).

For benchmarks of everything but the model: it takes next to no time, and texts that share words come near each other.
"""

import base64
import json
import math
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import Any

from modulo.cli.stack.process import HOST, answers_http, free_port
from modulo.domain.text.stemming import content_words
from modulo.settings import Settings

PART = 4
"""Characters of a word's parts, by which words of one family come near each other."""
PART_WEIGHT = 0.8
READY_SECONDS = 30.0


def hashed_vector(text: str, dimensions: int) -> list[float]:
    """A vector of length 1 of the text's words and their parts, the same in every process."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text):
        digest = int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        vector[(digest >> 1) % dimensions] += weight if digest & 1 else -weight
    length = math.hypot(*vector)
    if not length:  # no words, or all of them cancelled out: still a vector that can be compared
        return [1.0] + [0.0] * (dimensions - 1)
    return [value / length for value in vector]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word, count in Counter(content_words(text)).items():
        weight = 1 + math.log(count)
        yield word, weight
        edged = f"<{word}>"
        parts = [edged[i : i + PART] for i in range(max(1, len(edged) - PART + 1))]
        for part in parts:
            yield part, PART_WEIGHT * weight / math.sqrt(len(parts))


class EmbeddingsHandler(BaseHTTPRequestHandler):
    """`POST /v1/embeddings` for each model that the settings name, and `GET /v1/models`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes
    settings = Settings.model_construct()

    def do_GET(self) -> None:
        """List the models."""
        models = [{"id": model.name, "object": "model"} for model in self.settings.embedding_models]
        self._answer(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        """Embed a batch of texts."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = self.settings.embedding_model(asked["model"])
        if model is None:
            self._answer(404, {"error": {"message": "there is no such model"}})
            return
        packed = [struct.pack(f"<{model.dimensions}f", *hashed_vector(t, model.dimensions)) for t in asked["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": base64.b64encode(vector).decode()}
            for index, vector in enumerate(packed)
        ]
        self._answer(200, {"object": "list", "model": model.name, "data": data})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Benchmarks print their results only."""

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@contextmanager
def hash_embedder() -> Iterator[dict[str, str]]:
    """An embedder in a process of its own, while the context lasts; yields the settings by which it is reached.

    Raises:
        RuntimeError: it did not start in time.
    """
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.hash_embedder", str(port)])
    try:
        _await_answer(process, port)
        yield {"EMBEDDING_URL": f"http://{HOST}:{port}/v1", "RERANK_URL": "none:"}
    finally:
        process.terminate()
        process.wait()


def _await_answer(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = monotonic() + READY_SECONDS
    while not answers_http(port, "/v1/models", timeout=1):
        if process.poll() is not None or monotonic() > give_up:
            raise RuntimeError("the hash embedder did not start")
        sleep(0.05)


def serve(port: int) -> None:
    """Serve until the process ends."""
    EmbeddingsHandler.settings = Settings()
    ThreadingHTTPServer((HOST, port), EmbeddingsHandler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
