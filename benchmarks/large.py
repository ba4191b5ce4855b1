"""Do very large files pass within the memory and the time limit of a function?"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks import corpus
from benchmarks.faults import World, suffering
from benchmarks.measuring import Report, alone
from benchmarks.mortal import Deliverer, Ordeal
from benchmarks.product import new_collection, upload

PAGES, TEXT_BYTES = 5_000, 200 * 1024**2
LIMIT_SECONDS = 120.0
"""In place of Lambda's 900."""
MB = 1024**2


def report_pdf() -> bytes:
    """A PDF of many pages."""
    return corpus.pdf(corpus.sections(PAGES, seed=3, paragraphs=2))


def log_text() -> bytes:
    """A plain text: the same chapters again and again, each under a number of its own."""
    chapters = corpus.text(corpus.sections(500, seed=4))
    copies = -(-TEXT_BYTES // len(chapters))
    return b"\n\n".join(b"Volume %d\n\n" % number + chapters for number in range(copies))[:TEXT_BYTES]


FILES: Mapping[str, Callable[[], bytes]] = {"large.pdf": report_pdf, "large.txt": log_text}


@dataclass(frozen=True, slots=True)
class Passage:
    """How a large file passed."""

    size: int
    chunks: int
    seconds: float
    ordeal: Ordeal


def measure(report: Report) -> None:
    """Ingest each alone, with an embedder that costs next to nothing and environments that die at the limit."""
    with suffering({"INGEST_LEASE_SECONDS": "300"}, visibility_seconds=int(LIMIT_SECONDS)) as world:
        found = {name: passage(world, name, write()) for name, write in FILES.items()}
    rows = [
        (
            name,
            one.size / MB,
            one.chunks,
            one.seconds,
            one.chunks / one.seconds,
            one.ordeal.runs,
            one.ordeal.longest_seconds,
            one.ordeal.peak_bytes / MB,
        )
        for name, one in found.items()
    ]
    columns = ("file", "MB", "chunks", "seconds", "chunks/s", "runs", "longest run, s", "peak memory, MB")
    report.table(f"A PDF of {PAGES:,} pages and a text of {TEXT_BYTES // MB} MB, in parts", columns, rows)
    for name, one in found.items():
        kind = name.partition(".")[2]
        report.figure(f"large.{kind}.killed", one.ordeal.deaths, "runs", "count", target=("==", 0))
        report.figure(f"large.{kind}.peak", one.ordeal.peak_bytes / MB, "MB", "bytes", target=("<", 512))
        report.figure(f"large.{kind}.chunks_a_second", one.chunks / one.seconds, "chunks/s", "rate")
    report.note(f"A run that takes more than {LIMIT_SECONDS:.0f} s is killed. The embedder is the one in memory.")


def passage(world: World, name: str, content: bytes) -> Passage:
    """Upload a file and have it ingested by two environments."""
    collection = new_collection(world.client, name)
    ordeal = Ordeal(0, 0, random.Random(5))
    queues = {"ingest_file": world.services.ingests}
    deliverer = Deliverer(world.variables, queues, ordeal, environments=2, backlog=4, limit_seconds=LIMIT_SECONDS)
    started = perf_counter()
    file = upload(world.client, collection, name, content)

    def seen() -> Any:
        return world.client.get(f"/collections/{collection}/files/{file}").json()

    deliverer.until(lambda: seen()["stage"] in ("ready", "failed"), told=seen)
    found = seen()
    if found["stage"] == "failed":
        raise RuntimeError(f"{name} is failed: {found['problem']}")
    return Passage(len(content), found["chunk_count"], perf_counter() - started, ordeal)


if __name__ == "__main__":
    alone(measure)
