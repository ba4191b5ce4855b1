"""The product's model server with a memory: what a model has computed once is read from a file the next time.

Run as a program: `python -m benchmarks.cached_models PORT FILE`. GET /counts tells how many texts and tokens each model
was asked for, whether computed or remembered: a measure of cost that no load on the machine changes.
"""

import hashlib
import os
import sqlite3
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tokenizers import Encoding

from modulo.cli.models.inference import Floats, Model, load_embedder, load_reranker
from modulo.cli.models.server import ModelServer


class Memory:
    """Rows of floats by key, in an SQLite file that several processes may use."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, row BLOB) WITHOUT ROWID")

    def get(self, key: bytes) -> Floats | None:
        """The row, if it is known."""
        with self._lock:
            found = self._connection.execute("SELECT row FROM rows WHERE key = ?", (key,)).fetchone()
        return np.frombuffer(found[0], dtype=np.float32) if found else None

    def put(self, key: bytes, row: Floats) -> None:
        """Remember the row."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO rows VALUES (?, ?)", (key, row.tobytes()))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@dataclass(slots=True)
class Counts:
    """How much a model was asked for."""

    texts: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class RememberingModel(Model):
    """A model that computes no text twice."""

    memory: Memory
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def of(cls, model: Model, memory: Memory) -> "RememberingModel":
        """The model, with a memory."""
        return cls(model.name, model.tokenizer, model.session, model.finish, memory)

    def run(self, encoding: Encoding) -> Floats:
        """The row of that text."""
        self.counts.texts += 1
        self.counts.tokens += len(encoding.ids)
        key = hashlib.sha256(f"{self.name} {encoding.ids} {encoding.type_ids}".encode()).digest()
        known = self.memory.get(key)
        if known is None:
            known = Model.run(self, encoding)
            self.memory.put(key, known)
        return known


def serve(port: int, path: Path) -> None:
    """Serve both models until a stop signal."""
    memory = Memory(path)
    models = [RememberingModel.of(model, memory) for model in (load_embedder(), load_reranker())]
    server = ModelServer(*models, api_key=os.environ.get("MODEL_SERVER_API_KEY"))
    app = server.app()

    async def counts(_: Request) -> Response:
        return JSONResponse({one.name: {"texts": one.counts.texts, "tokens": one.counts.tokens} for one in models})

    app.router.routes.append(Route("/counts", counts))
    try:
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    finally:
        server.stop()
        memory.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
