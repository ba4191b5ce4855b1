"""How do LlamaIndex, LangChain and Haystack do the same on the same machine, models and Milvus?"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from benchmarks import corpus
from benchmarks.asking import search_body
from benchmarks.environments import python_of
from benchmarks.load import Load, request, run_load
from benchmarks.machine import cpu_seconds, peak_bytes
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
"""And so many files are worked on at a time, by ours and by peers."""
ROUNDS, SLOW, QUICK = 3, 25, 80
"""Of each system by turns; searches of one client and of eight in each."""
COLUMNS = (
    *("", "start s", "ingest s", "embedder CPU s", "other CPU s", "chunks"),
    *("p50 ms", "p95 ms", "req/s, 8", "again p50 ms", "again req/s", "MB"),
)
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
class Loads:
    """One round: new searches of one client and of eight, and one search again and again."""

    one: Load
    eight: Load
    again: Load


@dataclass(frozen=True, slots=True)
class Found:
    """What one system did: seconds by the clock and of processors, and rounds of searches."""

    start: float
    ingest: float
    embedder: float
    rest: float
    chunks: int
    characters: int
    rounds: Sequence[Loads]
    peak: float

    @property
    def p50(self) -> float:
        """Of a new search, typical of all rounds."""
        return median(round_.one.percentile(0.5) for round_ in self.rounds)

    @property
    def p95(self) -> float:
        """As `p50`."""
        return median(round_.one.percentile(0.95) for round_ in self.rounds)

    @property
    def rate(self) -> float:
        """New searches a second of 8 clients."""
        return median(round_.eight.rate for round_ in self.rounds)

    @property
    def again_p50(self) -> float:
        """Of a repeated search of 8 clients."""
        return median(round_.again.percentile(0.5) for round_ in self.rounds)

    @property
    def again_rate(self) -> float:
        """Repeated searches a second."""
        return median(round_.again.rate for round_ in self.rounds)


def measure(report: Report) -> None:
    """Run ours beside each peer: by turns, so that a busy moment hits both."""
    for name in PEERS:
        python_of(name)
    found: dict[str, tuple[Found, Found]] = {}
    with running(workers=("ingest_file", "--concurrency", str(UPLOADERS))) as product:
        for number, name in enumerate(PEERS):
            with _running(name, product) as peer, _ours(product, name) as ours:
                found[name] = _side_by_side(product, ours, peer, seed=1_000 * number)
    _tell(report, found)


@contextmanager
def _ours(product: Product, beside: str) -> Iterator[Ours]:
    """The product, for a new tenant; it is warm: a first start is measured by the question of cold starts."""
    tenant = replace(product, key=product.new_key(f"beside {beside}"))
    with tenant.client() as client:
        yield Ours(tenant, client, new_collection(client, "peers"), 0)


def _documents(count: int, *, sections: int, seed: int) -> dict[str, bytes]:
    formats = {"pdf": corpus.pdf, "html": corpus.html, "md": corpus.markdown, "txt": corpus.text}
    return {
        f"{seed}-{number}.{suffix}": write(corpus.sections(sections, seed=seed + 10 * number + len(suffix)))
        for suffix, write in formats.items()
        for number in range(count)
    }


def _side_by_side(product: Product, ours: Ours, peer: Peer, *, seed: int) -> tuple[Found, Found]:
    systems: tuple[System, System] = (ours, peer)
    documents = _documents(DOCUMENTS, sections=SECTIONS, seed=seed)
    first = _documents(2, sections=1, seed=seed + 500)
    for system in systems:
        system.ingest(first)  # what is made on first use is made, in every process
    ingested = [_ingested(product, peer, system, documents) for system in systems]
    asked = iter(corpus.questions(ROUNDS * (SLOW + QUICK) + 10, seed=17 + seed))
    known = list(islice(asked, 5))
    for system in systems:
        _asked(system, known, 1, 5)
    loads: tuple[list[Loads], list[Loads]] = ([], [])
    for _ in range(ROUNDS):
        one, eight = list(islice(asked, SLOW)), list(islice(asked, QUICK))
        for system, rounds in zip(systems, loads, strict=True):
            new = _asked(system, one, 1, SLOW), _asked(system, eight, 8, QUICK)
            rounds.append(Loads(*new, again=_asked(system, known[:1], 8, QUICK)))
    return (
        Found(ours.start_seconds, *ingested[0], loads[0], ours.peak()),
        Found(peer.start_seconds, *ingested[1], loads[1], peer.peak()),
    )


def _ingested(
    product: Product, peer: Peer, system: System, documents: Mapping[str, bytes]
) -> tuple[float, float, float, int, int]:
    """Seconds by the clock, of the embedder's processors and of all others', chunks and characters."""
    embedder, rest = _processors(product, peer)
    started = perf_counter()
    chunks, characters = system.ingest(documents)
    seconds = perf_counter() - started
    embedded, done = _processors(product, peer)
    return seconds, embedded - embedder, done - rest, chunks, characters


def _processors(product: Product, peer: Peer) -> tuple[float, float]:
    used = {name: sum(cpu_seconds(pid, ended=True) for pid in pids) for name, pids in product.processes().items()}
    embedder = used.pop("models")
    return embedder, sum(used.values()) + cpu_seconds(peer.process.pid, ended=True)


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
    options = ("--host", HOST, "--port", str(port), "--log-level", "warning")
    command = [python_of(name), "-m", "uvicorn", "app:app", *options]
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


def _tell(report: Report, found: Mapping[str, tuple[Found, Found]]) -> None:
    rows: list[tuple[Any, ...]] = []
    ratios: list[tuple[Any, ...]] = []
    for name, (ours, peer) in found.items():
        for told, one in (("modulo", ours), (name, peer)):
            ingested = (one.ingest, one.embedder, one.rest, one.chunks)
            searched = (one.p50 * 1e3, one.p95 * 1e3, one.rate, one.again_p50 * 1e3, one.again_rate)
            rows.append((told, one.start or None, *ingested, *searched, one.peak))
        ratio = {
            "ingestion": peer.ingest / ours.ingest,
            "search": peer.p50 / ours.p50,
            "search_eight": ours.rate / peer.rate,
            "repeated": peer.again_p50 / ours.again_p50,
            "repeated_rate": ours.again_rate / peer.again_rate,
        }
        ratios.append((name, *ratio.values()))
        for what, value in ratio.items():
            report.figure(f"peers.{name}.{what}", value, "x", "ratio", target=(">", 1.0), tolerance=0.6)
        share = (ours.embedder + ours.rest) / (peer.embedder + peer.rest)
        report.figure(f"peers.{name}.ingestion_processors", share, "x its processor time", "ratio", tolerance=0.6)
    report.table("The same documents, models and Milvus; each pair by turns", COLUMNS, rows)
    columns = ("than", "ingestion", "search p50", "searches/s, 8", "repeated p50", "repeated/s")
    report.table("How many times faster ours is", columns, ratios)
    searches = [(told, one.p50 * 1e3) for name, pair in found.items() for told, one in _named(name, pair)]
    report.bars("A search that is new, p50", "ms", searches)
    report.note(
        "Ingestion is of the same documents, whatever chunks they become. Ours ends when the vector store was read "
        "back. The embedder's processor time is paid by both; peers/README.md tells the reasons of the gaps."
    )


def _named(name: str, pair: tuple[Found, Found]) -> Iterator[tuple[str, Found]]:
    yield f"modulo beside {name}", pair[0]
    yield name, pair[1]


if __name__ == "__main__":
    alone(measure)
