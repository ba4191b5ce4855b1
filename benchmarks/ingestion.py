"""How fast do files become searchable, what takes the time, and how much memory does a large one take?"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import httpx

from benchmarks import corpus
from benchmarks.machine import cpu_seconds, descendants, most_bytes
from benchmarks.measuring import Report, alone
from benchmarks.product import Product, await_ready, new_collection, running, upload
from benchmarks.wires import SERVERS, Wire, busy_seconds, wired
from modulo.cli.up import modulo

FILES, SECTIONS = 4, 5
BULK_PAGES, BULK_PARAGRAPHS = 1_000, 2
MB = 1024**2


@dataclass(frozen=True, slots=True)
class Batch:
    """Some files from their upload until all are searchable: seconds, and for how long each server was busy."""

    files: int
    size: int
    chunks: int
    seconds: float
    busy: Mapping[str, float]
    worker_seconds: float


def measure(report: Report) -> None:
    """Ingest small files of each format and one large file with a worker."""
    with running(workers=()) as product, wired(product.environment) as (wires, _, rewired), product.client() as client:
        worker = product.stack.spawn("worker", modulo(rewired, "worker", "ingest_file"))
        ingest = Ingest(product, client, wires, worker.pid)
        ingest.batch({"first.txt": b"What is loaded on first use is loaded now."})
        batches = {name: ingest.batch(_files(name)) for name in corpus.FORMATS}
        content = corpus.pdf(corpus.sections(BULK_PAGES, seed=99, paragraphs=BULK_PARAGRAPHS))
        with most_bytes(worker.pid) as most:
            large = ingest.batch({"large.pdf": content})
        _tell_formats(report, batches)
        _tell_large(report, large, most())


@dataclass(slots=True)
class Ingest:
    """A worker behind wires, fed through the API."""

    product: Product
    client: httpx.Client
    wires: Mapping[str, Wire]
    worker: int

    def batch(self, documents: Mapping[str, bytes]) -> Batch:
        """Upload and wait until all is ready."""
        collection = new_collection(self.client, f"ingestion {next(iter(documents))}")
        cpu, started = self._cpu(), perf_counter()
        files = [upload(self.client, collection, name, content) for name, content in documents.items()]
        await_ready(self.client, collection, files)
        ended = perf_counter()
        found = [self.client.get(f"/collections/{collection}/files/{file}").json() for file in files]
        return Batch(
            len(files),
            sum(map(len, documents.values())),
            sum(file["chunk_count"] for file in found),
            ended - started,
            {name: busy_seconds(wire.exchanges, started, ended) for name, wire in self.wires.items()},
            self._cpu() - cpu,
        )

    def _cpu(self) -> float:
        return sum(cpu_seconds(pid, ended=True) for pid in (self.worker, *descendants(self.worker)))


def _files(extension: str) -> dict[str, bytes]:
    write = corpus.FORMATS[extension]
    return {f"{n}.{extension}": write(corpus.sections(SECTIONS, seed=100 + n)) for n in range(FILES)}


def _tell_formats(report: Report, batches: Mapping[str, Batch]) -> None:
    rows = []
    for name, one in batches.items():
        shares = [f"{one.busy[server] / one.seconds:.0%}" for server in SERVERS]
        speeds = (one.files / one.seconds, one.size / one.seconds / MB, one.chunks / one.seconds)
        rows.append((name, one.files, one.chunks, *speeds, *shares, one.worker_seconds / one.chunks * 1e3))
        report.figure(f"ingestion.{name}.chunks_a_second", speeds[2], "chunks/s", "rate")
    busy = (f"{server} busy" for server in SERVERS)
    columns = ("format", "files", "chunks", "files/s", "MB/s", "chunks/s", *busy, "worker CPU ms a chunk")
    report.table("From upload to searchable, one worker; busy: a request was in flight there", columns, rows)
    seconds = sum(one.seconds for one in batches.values()) / sum(one.files for one in batches.values())
    report.figure("ingestion.seconds_a_file", seconds, f"s a file of {SECTIONS} pages", "time", target=("<=", 30))


def _tell_large(report: Report, large: Batch, peak: int) -> None:
    share = large.busy["models"] / large.seconds
    rows = [
        ("pages", BULK_PAGES),
        ("file, MB", large.size / MB),
        ("chunks", large.chunks),
        ("seconds", large.seconds),
        ("pages a second", BULK_PAGES / large.seconds),
        ("chunks a second", large.chunks / large.seconds),
        *((f"{server} busy", f"{large.busy[server] / large.seconds:.1%}") for server in SERVERS),
        ("worker's CPU, ms a chunk", large.worker_seconds / large.chunks * 1e3),
        ("peak memory of worker and parsers, MB", peak / MB),
    ]
    report.table("A large PDF", ("", ""), rows)
    report.figure("ingestion.large.embedder_busy", share, "of the time", "ratio", target=(">=", 0.9), tolerance=0.1)
    report.figure("ingestion.large.pages_a_second", BULK_PAGES / large.seconds, "pages/s", "rate")
    report.figure("ingestion.large.peak", peak / MB, "MB", "bytes", target=("<", 512))
    others = {server: large.busy[server] / large.seconds * 100 for server in SERVERS if server != "cloud"}
    report.bars("Servers busy while a 1,000-page PDF is ingested", "% of the time", list(others.items()), target=90)
    report.note(
        "Busy shares overlap where work overlaps; the cloud's are mostly polls of the queue, which wait. "
        "The embedder shares the cores with everything else here."
    )


if __name__ == "__main__":
    alone(measure)
