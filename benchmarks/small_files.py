"""How fast do many small files become searchable, and which process does the work?"""

import os
import time
from collections.abc import Mapping
from time import perf_counter

import httpx

from benchmarks import corpus
from benchmarks.machine import cpu_seconds, descendants
from benchmarks.product import Product, new_collection, start_product, upload
from benchmarks.report import Report, run_question
from modulo.cli.up import modulo

FILES = int(os.environ.get("SMALL_FILES", "400"))
TIMEOUT_SECONDS = 900.0
POLL_SECONDS = 0.5


def measure(report: Report) -> None:
    """Upload the files, start one worker, and measure from the first ready file to the last."""
    with start_product(workers=()) as product, product.client() as client:
        collection = new_collection(client, "small files")
        for number in range(FILES):
            upload(client, collection, f"{number}.txt", corpus.text(corpus.sections(1, seed=number)))
        product.stack.spawn("worker", modulo(product.environment, "worker", "ingest_file"))
        first = _await(client, collection, 1)
        started, before = perf_counter(), _cpu(product)
        last = _await(client, collection, FILES)
        seconds, after = perf_counter() - started, _cpu(product)
    files = last - first
    used = {name: (after[name] - before[name]) / files * 1e3 for name in sorted(after)}
    report.table(f"{FILES} files of one page, one worker", ("process", "CPU ms a file"), list(used.items()))
    report.figure("small_files.rate", files / seconds, "files/s", "rate")
    report.figure("small_files.cpu", sum(used.values()), "CPU ms a file", "time")


def _await(client: httpx.Client, collection: str, number: int) -> int:
    """Wait until so many files are ready; how many are."""
    give_up = time.monotonic() + TIMEOUT_SECONDS
    while True:
        stages = client.get(f"/collections/{collection}").json()["files"]
        ready = int(stages.get("ready", 0))
        if ready >= number:
            return ready
        if stages.get("failed") or time.monotonic() > give_up:
            raise RuntimeError(f"not all files became ready: {stages}")
        time.sleep(POLL_SECONDS)


def _cpu(product: Product) -> Mapping[str, float]:
    """CPU seconds so far of each program, with its children."""
    found: dict[str, float] = {}
    for process in (*product.stack._servers, *product.stack._clients):
        pids = (process.pid, *descendants(process.pid))
        found[process.name] = sum(cpu_seconds(pid, ended=True) for pid in pids)
    return found


if __name__ == "__main__":
    run_question(measure)
