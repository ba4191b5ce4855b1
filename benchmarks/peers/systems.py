"""The systems that the benchmark compares: Modulo, and a peer's application in a process of its own."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

import httpx

from benchmarks.load_generator import request
from benchmarks.machine import peak_bytes
from benchmarks.peer_environments import python_of
from benchmarks.product import Product, await_ready, new_collection, upload
from benchmarks.search_clients import search_body
from modulo.cli.stack.process import HOST, answers_http, free_port
from modulo.domain.collections.collection import Chunking
from modulo.settings import Settings

FOLDER = Path(__file__).parent
TOP_K = 5
UPLOADERS = 4
"""Number of files uploaded, and ingested, in parallel by each system."""
READY_SECONDS = 120
MB = 1024**2


class System(Protocol):
    """A running system under test, with a Milvus collection of its own."""

    start_seconds: float

    @property
    def address(self) -> str:
        """The base URL."""
        ...

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Make the documents searchable; the number of chunks and characters they became."""
        ...

    def request(self, question: str) -> bytes:
        """The HTTP request of a search for `TOP_K` passages."""
        ...

    def peak(self) -> float:
        """Peak memory of its processes, in MB."""
        ...


@dataclass(slots=True)
class ModuloSystem:
    """Modulo: upload, object store, queue, worker and verification; search without reranking and without an answer."""

    product: Product
    client: httpx.Client
    collection: str
    start_seconds: float

    @property
    def address(self) -> str:
        """The base URL."""
        return self.product.url

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Upload the documents and wait until all are ready."""
        with ThreadPoolExecutor(UPLOADERS) as threads:
            sent = threads.map(lambda one: upload(self.client, self.collection, *one), documents.items())
            files = list(sent)
        await_ready(self.client, self.collection, files)
        found = [self.client.get(f"/collections/{self.collection}/files/{file}").json() for file in files]
        return sum(file["chunk_count"] for file in found), 0

    def request(self, question: str) -> bytes:
        """The request of a retrieval."""
        body = search_body(self.collection, question, retrieve_only=True, disable_rerank=True, top_k=TOP_K)
        headers = {"Authorization": f"Bearer {self.product.key}"}
        return request("POST", "/api/search", headers=headers, body=body)

    def peak(self) -> float:
        """Peak memory of the server and the worker, in MB."""
        processes = self.product.processes()
        return sum(peak_bytes(pid) for name in ("serve", "worker") for pid in processes[name]) / MB


@dataclass(slots=True)
class PeerSystem:
    """A peer's application, running in its own process and virtual environment."""

    address: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    start_seconds: float

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Ingest the documents from files."""
        paths = []
        for name, content in documents.items():
            paths.append(self.folder / name)
            paths[-1].write_bytes(content)
        with ThreadPoolExecutor(UPLOADERS) as threads:
            done = list(threads.map(self._ingest, paths))
        return sum(one["chunks"] for one in done), sum(one["characters"] for one in done)

    def _ingest(self, path: Path) -> dict[str, int]:
        answer = httpx.post(f"{self.address}/ingest", json={"path": str(path)}, timeout=600, trust_env=False)
        answer.raise_for_status()
        found: dict[str, int] = answer.json()
        return found

    def request(self, question: str) -> bytes:
        """The request of a retrieval."""
        return request("POST", "/search", headers={}, body={"question": question, "top_k": TOP_K})

    def peak(self) -> float:
        """Peak memory of its process, in MB."""
        return peak_bytes(self.process.pid) / MB


@contextmanager
def modulo_system(product: Product, beside: str) -> Iterator[ModuloSystem]:
    """The running product with a new tenant. It is warm; the cold_start benchmark measures first starts."""
    tenant = replace(product, key=product.new_key(f"beside {beside}"))
    with tenant.client() as client:
        yield ModuloSystem(tenant, client, new_collection(client, "peers"), 0)


@contextmanager
def start_peer(name: str, product: Product) -> Iterator[PeerSystem]:
    """Start a peer's application on the product's Milvus and embedder; stop it at the end of the context.

    Raises:
        RuntimeError: it exited or was not ready in time.
    """
    port = free_port()
    model, chunking = Settings().embedding_model(None), Chunking()
    assert model is not None  # noqa: S101 - for mypy: the default model exists
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
        "NO_PROXY": HOST,
        "EMBEDDING_MODEL": model.name,
        "DIMENSIONS": str(model.dimensions),
        "CHUNK_TOKENS": str(chunking.max_tokens),
        "OVERLAP_TOKENS": str(chunking.overlap_tokens),
        "COLLECTION": f"peer_{name}",
        "MILVUS_TOKEN": "",
        **{key: product.environment[key] for key in ("EMBEDDING_URL", "EMBEDDING_API_KEY", "MILVUS_URI")},
    }
    options = ("--host", HOST, "--port", str(port), "--log-level", "warning")
    command = [python_of(name), "-m", "uvicorn", "app:app", *options]
    with tempfile.TemporaryDirectory(prefix="modulo-peer-") as folder:
        started = perf_counter()
        process = subprocess.Popen(command, cwd=FOLDER / name, env=environment)
        try:
            while not answers_http(port, "/health", timeout=1):
                if process.poll() is not None or perf_counter() - started > READY_SECONDS:
                    raise RuntimeError(f"{name} did not start within {READY_SECONDS} s")
                time.sleep(0.02)
            yield PeerSystem(f"http://{HOST}:{port}", process, Path(folder), perf_counter() - started)
        finally:
            process.terminate()
            process.wait(30)
