"""`modulo serve`, loaded before its environment is known: `python -m modulo.cli.warm HOST PORT`.

Loading takes seconds of a core, most of what a start takes; here it happens while the servers start.
Importing reads no environment, so what depends on them is told later: JSON on the standard input.
"""

import importlib
import json
import os
import sys

from modulo.runtime.worker import function, function_names

ADAPTERS = (
    "postgres_engine",
    "postgres_metadata",
    "milvus_vectors",
    "s3_blobs",
    "sqs_queue",
    "valkey_cache",
    "openai_embedder",
    "cohere_reranker",
    "extractive_generator",
)
"""Those that `modulo up` uses; any other is loaded when it is asked for."""


def load() -> None:
    """Import what serving requests needs."""
    importlib.import_module("modulo.cli.serve")
    for name in function_names():
        function(name)
    for name in ADAPTERS:
        importlib.import_module(f"modulo.adapters.{name}")


def main(host: str, port: int) -> None:
    """Load, learn the environment, serve."""
    load()
    told = sys.stdin.read()
    if not told:
        raise SystemExit("nobody told the environment")
    os.environ.update(json.loads(told))
    importlib.import_module("modulo.cli.serve").serve(host, port)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
