"""How fast do files become searchable, where does the time go, and how much memory does a large file take?"""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import httpx

from benchmarks import corpus
from benchmarks.machine import cpu_seconds, descendants, peak_tree_bytes
from benchmarks.product import Product, await_ready, new_collection, start_product, upload
from benchmarks.report import Report, run_question
from benchmarks.traffic import SERVERS, CountingProxy, busy_seconds, proxied
from modulo.cli.up import modulo

FILES, SECTIONS = 4, 5
BULK_PAGES, BULK_PARAGRAPHS = 1_000, 2
MB = 1024**2


@dataclass(frozen=True, slots=True)
class Batch:
    """Files from upload until all are searchable: total seconds, busy seconds of each server, CPU seconds."""

    files: int
    size: int
    chunks: int
    seconds: float
    busy: Mapping[str, float]
    worker_seconds: float


def measure(report: Report) -> None:
    """Ingest small files of each format and one large file with one worker."""
    with (
        start_product(workers=()) as product,
        proxied(product.environment) as (proxies, _, proxied_environment),
        product.client() as client,
    ):
        worker = product.stack.spawn("worker", modulo(proxied_environment, "worker", "ingest_file"))
        ingest = IngestMeter(product, client, proxies, worker.pid)
        ingest.batch({"first.txt": b"Warms up everything loaded on first use."})
        batches = {name: ingest.batch(_files(name)) for name in corpus.FORMATS}
        content = corpus.pdf(corpus.sections(BULK_PAGES, seed=99, paragraphs=BULK_PARAGRAPHS))
        with peak_tree_bytes(worker.pid) as peak:
            large = ingest.batch({"large.pdf": content})
        _report_formats(report, batches)
        _report_large(report, large, peak())


@dataclass(slots=True)
class IngestMeter:
    """Uploads batches and measures a worker that reaches its servers through counting proxies."""

    product: Product
    client: httpx.Client
    proxies: Mapping[str, CountingProxy]
    worker: int

    def batch(self, documents: Mapping[str, bytes]) -> Batch:
        """Upload the documents and wait until all are ready."""
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
            {name: busy_seconds(proxy.exchanges, started, ended) for name, proxy in self.proxies.items()},
            self._cpu() - cpu,
        )

    def _cpu(self) -> float:
        return sum(cpu_seconds(pid, ended=True) for pid in (self.worker, *descendants(self.worker)))


def _files(extension: str) -> dict[str, bytes]:
    write = corpus.FORMATS[extension]
    return {f"{n}.{extension}": write(corpus.sections(SECTIONS, seed=100 + n)) for n in range(FILES)}


def _report_formats(report: Report, batches: Mapping[str, Batch]) -> None:
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


def _report_large(report: Report, large: Batch, peak: int) -> None:
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
    run_question(measure)
