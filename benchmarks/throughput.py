"""How many small requests a second does a server with two processes answer?"""

from urllib.parse import urlsplit

from benchmarks import corpus
from benchmarks.load_generator import request, run_load
from benchmarks.machine import proportional_bytes
from benchmarks.product import Product, new_collection, start_product, upload_and_wait
from benchmarks.report import Report, Target, run_question
from benchmarks.search_clients import search_body, send_searches

PROCESSES = 2
CONNECTIONS = (1, 8, 32)
SECONDS = 4.0
"""Approximate duration of each load."""
MB = 1024**2


def measure(report: Report) -> None:
    """Measure one server with cached searches, plain reads and liveness probes."""
    with start_product(serve=("--workers", str(PROCESSES)), workers=("ingest_file",)) as product:
        with product.client() as client:
            collection = new_collection(client, "throughput")
            upload_and_wait(client, collection, {"report.txt": corpus.text(corpus.sections(12, seed=5))})
        body = search_body(collection, corpus.questions(1)[0])
        send_searches(product, [body] * 50, concurrency=8)  # fills the cache and warms up both processes
        _load(report, product, {"cached search": ("POST", "/api/search", body), **_reads(collection)})
        pids = product.processes()["serve"]
        memory = sum(map(proportional_bytes, pids)) / MB
        report.table("Memory after it", ("processes", "proportional MB"), [(len(pids), memory)])
        report.figure("throughput.serve.memory", memory, "MB", "bytes")
    report.note("The load generator shares the cores with the servers: on a machine of its own, rates would be higher.")


def _reads(collection: str) -> dict[str, tuple[str, str, None]]:
    return {
        "read a collection": ("GET", f"/api/collections/{collection}", None),
        "liveness": ("GET", "/api/health?probe=live", None),
    }


def _load(report: Report, product: Product, kinds: dict[str, tuple[str, str, object]]) -> None:
    address = urlsplit(product.url)
    host, port = str(address.hostname), address.port or 0
    headers = {"Authorization": f"Bearer {product.key}"}
    rows, bars, errors = [], [], 0
    for name, (method, path, body) in kinds.items():
        content = [request(method, path, headers=headers, body=body)]
        rates = {}
        for connections in CONNECTIONS:
            trial = run_load(host, port, content, connections=connections, total=200)
            total = max(200, round(trial.rate * SECONDS))
            found = run_load(host, port, content, connections=connections, total=total)
            p50, p95, p99 = (found.percentile(share) * 1e3 for share in (0.5, 0.95, 0.99))
            rows.append((name, connections, total, found.rate, p50, p95, p99, found.errors))
            rates[connections] = found.rate
            errors += found.errors
        key = f"throughput.{name.replace(' ', '_')}"
        target: Target | None = (">=", 1_000.0) if name == "cached search" else None
        report.figure(key, max(rates.values()), "requests/s", "rate", target=target)
        bars.append((name, max(rates.values())))
    columns = ("request", "connections", "requests", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors")
    report.table(f"`modulo serve --workers {PROCESSES}`", columns, rows)
    report.bars(f"Served by {PROCESSES} processes", "requests a second", bars, target=1_000)
    report.figure("throughput.errors", errors, "requests", "count", target=("==", 0))


if __name__ == "__main__":
    run_question(measure)
