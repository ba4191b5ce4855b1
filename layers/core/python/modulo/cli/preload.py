"""`modulo serve` with imports done ahead of time: `python -m modulo.cli.preload DESCRIPTOR`.

DESCRIPTOR is that of a listening socket, which this process inherits. Imports take seconds of CPU, most of the startup
time. Here they run while the embedded servers start. Importing reads no environment variables, so the settings that
name those servers arrive later, as JSON on standard input.
"""

import importlib
import json
import os
import socket
import sys

from modulo.runtime.worker import function, function_names

ADAPTERS = (
    "postgres.engine",
    "postgres.collections",
    "postgres.dead_letters",
    "postgres.deletions",
    "postgres.fetches",
    "postgres.files",
    "postgres.identities",
    "postgres.ingestion",
    "postgres.members",
    "postgres.parts",
    "postgres.purges",
    "postgres.reembeddings",
    "postgres.search",
    "postgres.subscriptions",
    "postgres.sweeps",
    "postgres.tenants",
    "postgres.uploads",
    "postgres.usage",
    "milvus.vectors",
    "aws.s3_blobs",
    "aws.sqs_queue",
    "valkey_cache",
    "models.openai_embedder",
    "models.cohere_reranker",
    "models.extractive_generator",
)
"""The adapters that `modulo up` uses; any other is imported on first use."""


def preload() -> None:
    """Import everything that serving requests needs."""
    importlib.import_module("modulo.cli.serve")
    for name in function_names():
        function(name)
    for name in ADAPTERS:
        importlib.import_module(f"modulo.adapters.{name}")


def main(descriptor: int) -> None:
    """Import everything, read the environment from standard input, then serve on the inherited socket."""
    preload()
    variables = sys.stdin.read()
    if not variables:
        raise SystemExit("standard input was empty; expected a JSON object of environment variables")
    os.environ.update(json.loads(variables))
    importlib.import_module("modulo.cli.serve").serve_on(socket.socket(fileno=descriptor))


if __name__ == "__main__":
    main(int(sys.argv[1]))
