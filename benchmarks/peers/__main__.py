"""How does Modulo compare with LlamaIndex, LangChain and Haystack on the same machine, models and Milvus?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks import corpus
from benchmarks.load_generator import LoadResult, run_load
from benchmarks.machine import cpu_seconds
from benchmarks.peer_environments import python_of
from benchmarks.peers.systems import UPLOADERS, ModuloSystem, PeerSystem, System, modulo_system, start_peer
from benchmarks.product import Product, start_product
from benchmarks.report import Report, run_question

PEERS = ("llamaindex", "langchain", "haystack")
SECTIONS, DOCUMENTS = 12, 3
ROUNDS, SINGLE_SEARCHES, PARALLEL_SEARCHES = 3, 25, 80
"""Rounds of each system, taken in turn, and the searches in each with one client and with eight."""
COLUMNS = (
    *("", "start s", "ingest s", "embedder CPU s", "other CPU s", "chunks"),
    *("p50 ms", "p95 ms", "req/s, 8", "again p50 ms", "again req/s", "MB"),
)


@dataclass(frozen=True, slots=True)
class Ingestion:
    """One ingestion: elapsed seconds, CPU seconds of the embedder and of all other processes, and its output."""

    seconds: float
    embedder_cpu: float
    other_cpu: float
    chunks: int
    characters: int

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes."""
        return self.embedder_cpu + self.other_cpu


@dataclass(frozen=True, slots=True)
class Loads:
    """One round: new searches with one client and with eight, and one search repeated with eight."""

    one: LoadResult
    eight: LoadResult
    again: LoadResult


@dataclass(frozen=True, slots=True)
class SystemResult:
    """Measurements of one system: start and ingestion, rounds of searches, and peak memory in MB."""

    start_seconds: float
    ingestion: Ingestion
    rounds: Sequence[Loads]
    peak: float

    @property
    def p50(self) -> float:
        """Median latency of a new search with one client, median of all rounds."""
        return median(round_.one.percentile(0.5) for round_ in self.rounds)

    @property
    def p95(self) -> float:
        """95th percentile of the latency, median of all rounds."""
        return median(round_.one.percentile(0.95) for round_ in self.rounds)

    @property
    def rate(self) -> float:
        """New searches a second with 8 clients."""
        return median(round_.eight.rate for round_ in self.rounds)

    @property
    def again_p50(self) -> float:
        """Median latency of a repeated search with 8 clients."""
        return median(round_.again.percentile(0.5) for round_ in self.rounds)

    @property
    def again_rate(self) -> float:
        """Repeated searches a second with 8 clients."""
        return median(round_.again.rate for round_ in self.rounds)


def measure(report: Report) -> None:
    """Compare Modulo with each peer. Both take turns, so that other load on the machine affects both."""
    for name in PEERS:
        python_of(name)
    results: dict[str, tuple[SystemResult, SystemResult]] = {}
    with start_product(workers=("ingest_file", "--concurrency", str(UPLOADERS))) as product:
        for number, name in enumerate(PEERS):
            with start_peer(name, product) as peer, modulo_system(product, name) as ours:
                results[name] = _compare(product, ours, peer, seed=1_000 * number)
    _report(report, results)


def _documents(count: int, *, sections: int, seed: int) -> dict[str, bytes]:
    formats = {"pdf": corpus.pdf, "html": corpus.html, "md": corpus.markdown, "txt": corpus.text}
    return {
        f"{seed}-{number}.{suffix}": write(corpus.sections(sections, seed=seed + 10 * number + len(suffix)))
        for suffix, write in formats.items()
        for number in range(count)
    }


def _compare(product: Product, ours: ModuloSystem, peer: PeerSystem, *, seed: int) -> tuple[SystemResult, SystemResult]:
    systems: tuple[System, System] = (ours, peer)
    documents = _documents(DOCUMENTS, sections=SECTIONS, seed=seed)
    first = _documents(2, sections=1, seed=seed + 500)
    for system in systems:
        system.ingest(first)  # warms up every process
    ingestions = [_ingest(product, peer, system, documents) for system in systems]
    questions = iter(corpus.questions(ROUNDS * (SINGLE_SEARCHES + PARALLEL_SEARCHES) + 10, seed=17 + seed))
    known = list(islice(questions, 5))
    for system in systems:
        _search(system, known, 1, 5)
    loads: tuple[list[Loads], list[Loads]] = ([], [])
    for _ in range(ROUNDS):
        one, eight = list(islice(questions, SINGLE_SEARCHES)), list(islice(questions, PARALLEL_SEARCHES))
        for system, rounds in zip(systems, loads, strict=True):
            new = _search(system, one, 1, SINGLE_SEARCHES), _search(system, eight, 8, PARALLEL_SEARCHES)
            rounds.append(Loads(*new, again=_search(system, known[:1], 8, PARALLEL_SEARCHES)))
    return (
        SystemResult(ours.start_seconds, ingestions[0], loads[0], ours.peak()),
        SystemResult(peer.start_seconds, ingestions[1], loads[1], peer.peak()),
    )


def _ingest(product: Product, peer: PeerSystem, system: System, documents: Mapping[str, bytes]) -> Ingestion:
    """Ingest the documents with one system and measure it."""
    embedder, rest = _cpu_seconds(product, peer)
    started = perf_counter()
    chunks, characters = system.ingest(documents)
    seconds = perf_counter() - started
    embedded, done = _cpu_seconds(product, peer)
    return Ingestion(seconds, embedded - embedder, done - rest, chunks, characters)


def _cpu_seconds(product: Product, peer: PeerSystem) -> tuple[float, float]:
    used = {name: sum(cpu_seconds(pid, ended=True) for pid in pids) for name, pids in product.processes().items()}
    embedder = used.pop("models")
    return embedder, sum(used.values()) + cpu_seconds(peer.process.pid, ended=True)


def _search(system: System, questions: Sequence[str], connections: int, total: int) -> LoadResult:
    address = urlsplit(system.address)
    contents = [system.request(question) for question in questions]
    found = run_load(str(address.hostname), address.port or 0, contents, connections=connections, total=total)
    if found.errors:
        raise RuntimeError(f"{found.errors} of {total} searches failed: {dict(found.statuses)}")
    return found


def _report(report: Report, results: Mapping[str, tuple[SystemResult, SystemResult]]) -> None:
    rows: list[tuple[Any, ...]] = []
    ratios: list[tuple[Any, ...]] = []
    for name, (ours, peer) in results.items():
        for label, one in (("modulo", ours), (name, peer)):
            made = one.ingestion
            ingested = (made.seconds, made.embedder_cpu, made.other_cpu, made.chunks)
            searched = (one.p50 * 1e3, one.p95 * 1e3, one.rate, one.again_p50 * 1e3, one.again_rate)
            rows.append((label, one.start_seconds or None, *ingested, *searched, one.peak))
        ratio = {
            "ingestion": peer.ingestion.seconds / ours.ingestion.seconds,
            "search": peer.p50 / ours.p50,
            "search_eight": ours.rate / peer.rate,
            "repeated": peer.again_p50 / ours.again_p50,
            "repeated_rate": ours.again_rate / peer.again_rate,
        }
        ratios.append((name, *ratio.values()))
        for what, value in ratio.items():
            report.figure(f"peers.{name}.{what}", value, "x", "ratio", target=(">", 1.0), tolerance=0.6)
        share = ours.ingestion.cpu / peer.ingestion.cpu
        report.figure(f"peers.{name}.ingestion_processors", share, "x its processor time", "ratio", tolerance=0.6)
    report.table("The same documents, models and Milvus; each pair takes turns", COLUMNS, rows)
    columns = ("than", "ingestion", "search p50", "searches/s, 8", "repeated p50", "repeated/s")
    report.table("How many times faster Modulo is", columns, ratios)
    searches = [(label, one.p50 * 1e3) for name, pair in results.items() for label, one in _labelled(name, pair)]
    report.bars("A new search, p50", "ms", searches)
    report.note(
        "All systems ingest the same documents, into different chunks. Modulo's ingestion includes verification in the "
        "vector store. All use the same embedder; peers/README.md explains the differences."
    )


def _labelled(name: str, pair: tuple[SystemResult, SystemResult]) -> Iterator[tuple[str, SystemResult]]:
    yield f"modulo beside {name}", pair[0]
    yield name, pair[1]


if __name__ == "__main__":
    run_question(measure)
