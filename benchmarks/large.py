"""Are very large files ingested within a function's memory and time limits?"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks import corpus
from benchmarks.chaos import ChaosDispatcher, ChaosRun
from benchmarks.chaos_stack import ChaosStack, chaos_stack
from benchmarks.product import new_collection, upload
from benchmarks.report import Report, run_question

PAGES, TEXT_BYTES = 5_000, 200 * 1024**2
LIMIT_SECONDS = 120.0
"""Lambda allows 900."""
MB = 1024**2


def report_pdf() -> bytes:
    """A PDF with many pages."""
    return corpus.pdf(corpus.sections(PAGES, seed=3, paragraphs=2))


def log_text() -> bytes:
    """A plain text that repeats the same chapters, numbered."""
    chapters = corpus.text(corpus.sections(500, seed=4))
    copies = -(-TEXT_BYTES // len(chapters))
    return b"\n\n".join(b"Volume %d\n\n" % number + chapters for number in range(copies))[:TEXT_BYTES]


FILES: Mapping[str, Callable[[], bytes]] = {"large.pdf": report_pdf, "large.txt": log_text}


@dataclass(frozen=True, slots=True)
class LargeFileRun:
    """Result of ingesting one large file."""

    size: int
    chunks: int
    seconds: float
    chaos: ChaosRun


def measure(report: Report) -> None:
    """Ingest each file alone, with a nearly free embedder and environments that are killed at the time limit."""
    with chaos_stack({"INGEST_LEASE_SECONDS": "300"}, visibility_seconds=int(LIMIT_SECONDS)) as stack:
        found = {name: ingest(stack, name, write()) for name, write in FILES.items()}
    rows = [
        (
            name,
            one.size / MB,
            one.chunks,
            one.seconds,
            one.chunks / one.seconds,
            one.chaos.runs,
            one.chaos.longest_seconds,
            one.chaos.peak_bytes / MB,
        )
        for name, one in found.items()
    ]
    columns = ("file", "MB", "chunks", "seconds", "chunks/s", "runs", "longest run, s", "peak memory, MB")
    report.table(f"A PDF of {PAGES:,} pages and a text of {TEXT_BYTES // MB} MB, in parts", columns, rows)
    for name, one in found.items():
        kind = name.partition(".")[2]
        report.figure(f"large.{kind}.killed", one.chaos.crashes, "runs", "count", target=("==", 0))
        report.figure(f"large.{kind}.peak", one.chaos.peak_bytes / MB, "MB", "bytes", target=("<", 512))
        report.figure(f"large.{kind}.chunks_a_second", one.chunks / one.seconds, "chunks/s", "rate")
    report.note(
        f"A run that takes more than {LIMIT_SECONDS:.0f} s is killed. The embedder hashes words, in next to no time."
    )


def ingest(stack: ChaosStack, name: str, content: bytes) -> LargeFileRun:
    """Upload a file and ingest it with two environments."""
    collection = new_collection(stack.client, name)
    chaos = ChaosRun(0, 0, random.Random(5))
    queues = {"ingest_file": stack.services.ingests}
    dispatcher = ChaosDispatcher(stack.variables, queues, chaos, environments=2, backlog=4, limit_seconds=LIMIT_SECONDS)
    started = perf_counter()
    file = upload(stack.client, collection, name, content)

    def state() -> Any:
        return stack.client.get(f"/collections/{collection}/files/{file}").json()

    dispatcher.run_until(lambda: state()["stage"] in ("ready", "failed"), describe=state)
    found = state()
    if found["stage"] == "failed":
        raise RuntimeError(f"{name} failed: {found['problem']}")
    return LargeFileRun(len(content), found["chunk_count"], perf_counter() - started, chaos)


if __name__ == "__main__":
    run_question(measure)
