"""How do LlamaIndex, LangChain and Haystack do the same on the same machine, models and Milvus?"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from benchmarks import corpus
from benchmarks.asking import search_body
from benchmarks.environments import python_of
from benchmarks.load import Load, request, run_load
from benchmarks.machine import peak_bytes
from benchmarks.measuring import Report, alone
from benchmarks.product import Product, await_ready, new_collection, running, upload
from modulo.cli.stack.process import HOST, answers_http, free_port
from modulo.domain.collection import Chunking
from modulo.settings import Settings

PEERS = ("llamaindex", "langchain", "haystack")
FOLDER = Path(__file__).parent
TOP_K = 5
SECTIONS, DOCUMENTS = 12, 3
UPLOADERS = 4
SLOW, QUICK = 60, 240
"""Requests of a load without and with the chance to remember."""
READY_SECONDS = 120
MB = 1024**2


class System(Protocol):
    """What is measured: ours or a peer's, running, with a place of its own in Milvus."""

    start_seconds: float

    @property
    def address(self) -> str:
        """Where it listens."""
        ...

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Make the documents searchable; how many chunks and characters they became."""
        ...

    def request(self, question: str) -> bytes:
        """A search for `TOP_K` passages, on the wire."""
        ...

    def peak(self) -> float:
        """The most memory that its processes took, in MB."""
        ...


@dataclass(slots=True)
class Ours:
    """The product: upload, object store, queue, worker, verification; search without reranking and answer."""

    product: Product
    client: httpx.Client
    collection: str
    start_seconds: float

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.product.url

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Upload everything and wait until it is ready."""
        with ThreadPoolExecutor(UPLOADERS) as threads:
            sent = threads.map(lambda one: upload(self.client, self.collection, *one), documents.items())
            files = list(sent)
        await_ready(self.client, self.collection, files)
        found = [self.client.get(f"/collections/{self.collection}/files/{file}").json() for file in files]
        return sum(file["chunk_count"] for file in found), 0

    def request(self, question: str) -> bytes:
        """A retrieval."""
        body = search_body(self.collection, question, retrieve_only=True, disable_rerank=True, top_k=TOP_K)
        headers = {"Authorization": f"Bearer {self.product.key}"}
        return request("POST", "/api/search", headers=headers, body=body)

    def peak(self) -> float:
        """Of the server and the worker."""
        processes = self.product.processes()
        return sum(peak_bytes(pid) for name in ("serve", "worker") for pid in processes[name]) / MB


@dataclass(slots=True)
class Peer:
    """A peer's application in its own process and virtual environment."""

    address: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    start_seconds: float

    def ingest(self, documents: Mapping[str, bytes]) -> tuple[int, int]:
        """Have it read every document."""
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
        """A retrieval."""
        return request("POST", "/search", headers={}, body={"question": question, "top_k": TOP_K})

    def peak(self) -> float:
        """Of its one process."""
        return peak_bytes(self.process.pid) / MB


@dataclass(frozen=True, slots=True)
class Found:
    """What one system did."""

    start: float
    ingest: float
    chunks: int
    characters: int
    one: Load
    eight: Load
    again: Load
    peak: float


def measure(report: Report) -> None:
    """Run all four in turn on one stack, each alone at its time."""
    for name in PEERS:
        python_of(name)
    documents = _documents()
    with running(workers=("ingest_file",)) as product, product.client() as client:
        started = perf_counter()
        # Both are warm already; a first start is measured by the question of cold starts.
        ours = Ours(product, client, new_collection(client, "peers"), perf_counter() - started)
        found = {"modulo": _measured(ours, documents)}
        for name in PEERS:
            with _running(name, product) as peer:
                found[name] = _measured(peer, documents)
    _tell(report, found)


def _documents() -> dict[str, bytes]:
    formats = {"pdf": corpus.pdf, "html": corpus.html, "md": corpus.markdown, "txt": corpus.text}
    return {
        f"{number}.{suffix}": write(corpus.sections(SECTIONS, seed=10 * number + len(suffix)))
        for suffix, write in formats.items()
        for number in range(DOCUMENTS)
    }


def _measured(system: System, documents: Mapping[str, bytes]) -> Found:
    system.ingest({"first.txt": corpus.text(corpus.sections(1, seed=999))})  # what is made on first use is made
    started = perf_counter()
    chunks, characters = system.ingest(documents)
    seconds = perf_counter() - started
    asked = corpus.questions(2 * SLOW + 2 * QUICK, seed=17)
    ask = partial(_asked, system)
    ask(asked[:5], 1, 5)
    one = ask(asked[5 : 5 + SLOW], 1, SLOW)
    eight = ask(asked[5 + SLOW : 5 + SLOW + QUICK], 8, QUICK)
    again = ask(asked[:1], 8, QUICK)
    return Found(system.start_seconds, seconds, chunks, characters, one, eight, again, system.peak())


def _asked(system: System, questions: Sequence[str], connections: int, total: int) -> Load:
    address = urlsplit(system.address)
    contents = [system.request(question) for question in questions]
    found = run_load(str(address.hostname), address.port or 0, contents, connections=connections, total=total)
    if found.errors:
        raise RuntimeError(f"{found.errors} of {total} searches failed: {dict(found.statuses)}")
    return found


@contextmanager
def _running(name: str, product: Product) -> Iterator[Peer]:
    port = free_port()
    model, chunking = Settings().embedding_model(None), Chunking()
    assert model is not None  # noqa: S101 - the default one
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
    command = [
        python_of(name),
        "-m",
        "uvicorn",
        "app:app",
        "--host",
        HOST,
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    with tempfile.TemporaryDirectory(prefix="modulo-peer-") as folder:
        started = perf_counter()
        process = subprocess.Popen(command, cwd=FOLDER / name, env=environment)
        try:
            while not answers_http(port, "/health", timeout=1):
                if process.poll() is not None or perf_counter() - started > READY_SECONDS:
                    raise RuntimeError(f"{name} does not start")
                time.sleep(0.02)
            yield Peer(f"http://{HOST}:{port}", process, Path(folder), perf_counter() - started)
        finally:
            process.terminate()
            process.wait(30)


def _tell(report: Report, found: Mapping[str, Found]) -> None:
    columns = ("", "start s", "ingest s", "chunks", "p50 ms", "p95 ms", "req/s, 8", "again p50 ms", "again req/s", "MB")
    rows = [
        (
            name,
            one.start or None,
            one.ingest,
            one.chunks,
            one.one.percentile(0.5) * 1e3,
            one.one.percentile(0.95) * 1e3,
            one.eight.rate,
            one.again.percentile(0.5) * 1e3,
            one.again.rate,
            one.peak,
        )
        for name, one in found.items()
    ]
    report.table("The same documents, models and Milvus", columns, rows)
    ours = found["modulo"]
    ratios: list[tuple[Any, ...]] = []
    for name in PEERS:
        one = found[name]
        ratio = {
            "ingestion": (one.ingest / one.chunks) / (ours.ingest / ours.chunks),
            "search": one.one.percentile(0.5) / ours.one.percentile(0.5),
            "search_eight": ours.eight.rate / one.eight.rate,
            "repeated": one.again.percentile(0.5) / ours.again.percentile(0.5),
            "repeated_rate": ours.again.rate / one.again.rate,
        }
        ratios.append((name, *ratio.values()))
        for what, value in ratio.items():
            report.figure(f"peers.{name}.{what}", value, "x", "ratio", target=(">", 1.0), tolerance=0.6)
    report.table(
        "How many times faster ours is",
        ("than", "ingestion, a chunk", "search p50", "searches/s, 8", "repeated p50", "repeated/s"),
        ratios,
    )
    report.bars("A search that is new, p50", "ms", [(n, f.one.percentile(0.5) * 1e3) for n, f in found.items()])


if __name__ == "__main__":
    alone(measure)
