"""How long does a search take, stage by stage, and how much of it is Modulo's own time?"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks import corpus
from benchmarks.machine import peak_bytes, proportional_bytes, resident_bytes
from benchmarks.product import Product, in_process_services, new_collection, start_product, upload_and_wait
from benchmarks.report import Report, percentile, run_question, spread
from benchmarks.search_clients import Body, FunctionClient, Sample, SearchLoad, search_body, send_searches

EXTERNAL_STAGES = ("embedding", "retrieval", "rerank", "generation")
"""Stages that wait for the embedder, Milvus and the models; the rest is Modulo's own time."""
STAGES = ("metadata", "cache", *EXTERNAL_STAGES[:2], "documents", *EXTERNAL_STAGES[2:])
FILES, SECTIONS = 10, 12
PARTS = (
    "Who rebuilt the bridge of Lund in 1901? How many cellars were flooded at Ribe? What did report {} say about Holm?"
)
MB = 1024**2


@dataclass(frozen=True, slots=True)
class SearchKind:
    """A kind of search: its configuration, and the number of requests with 1, 8 and 32 clients."""

    name: str
    config: Mapping[str, Any]
    counts: tuple[int, int, int]
    repeated: bool = False
    parts: bool = False


SEARCH_KINDS = (
    SearchKind("cached", {}, (400, 800, 1_600), repeated=True),
    SearchKind("retrieval", {"retrieve_only": True, "disable_rerank": True}, (120, 160, 320)),
    SearchKind("retrieval, reranked", {"retrieve_only": True}, (15, 24, 48)),
    SearchKind("answer", {}, (12, 24, 40)),
    SearchKind("chain of thought", {"cot_enabled": True}, (6, 8, 0), parts=True),
)
CONCURRENCY = (1, 8, 32)


def measure(report: Report) -> None:
    """Run all kinds of searches against one product, the cheapest first."""
    with start_product() as product:
        collection = _fill_collection(product)
        loads = {one.name: _run_loads(product, collection, one, seed) for seed, one in enumerate(SEARCH_KINDS)}
        _report_latency(report, loads)
        _report_stages(report, {name: found[0] for name, found in loads.items()})
        _report_invocation(report, product, collection)
        _report_targets(report, loads)
        _report_memory(report, product)
    report.note(
        f"{FILES} files of {SECTIONS} pages, k = 10. Servers, models and clients share the machine's cores: "
        "with 8 and 32 clients, latency is mostly waiting for a core."
    )


def _fill_collection(product: Product) -> str:
    with product.client() as client:
        collection = new_collection(client, "search")
        texts = {f"report-{n}.txt": corpus.text(corpus.sections(SECTIONS, seed=n)) for n in range(FILES)}
        upload_and_wait(client, collection, texts)
    return collection


def _run_loads(product: Product, collection: str, kind: SearchKind, seed: int) -> list[SearchLoad]:
    """One load for each concurrency; every question is new unless the kind repeats one."""

    def body(number: int) -> Body:
        text = PARTS.format(number) if kind.parts else questions[number]
        return search_body(collection, text, **kind.config)

    wanted = sum(kind.counts)
    questions = corpus.questions(1 if kind.repeated else wanted + 2, seed=7 if kind.repeated else seed + 100)
    send_searches(product, [body(0), body(0 if kind.repeated else 1)])  # warms up connections and the cache
    found, start = [], 2
    for count, concurrency in zip(kind.counts, CONCURRENCY, strict=True):
        if count:
            bodies = [body(0 if kind.repeated else number) for number in range(start, start + count)]
            found.append(send_searches(product, bodies, concurrency=concurrency))
            start += count
    return found


def _report_latency(report: Report, loads: Mapping[str, Sequence[SearchLoad]]) -> None:
    rows = []
    for name, found in loads.items():
        for concurrency, one in zip(CONCURRENCY, found, strict=False):
            p50, p95, p99 = spread([sample.seconds for sample in one.succeeded])
            rate = len(one.succeeded) / one.seconds
            degraded = sum(bool(sample.answer["metadata"]["degraded"]) for sample in one.succeeded)
            count = len(one.samples)
            row = (name, concurrency, count, rate, p50 * 1e3, p95 * 1e3, p99 * 1e3, _errors(one), degraded)
            rows.append(row)
            key = f"search.{_key(name)}.{concurrency}"
            report.figure(f"{key}.p50", p50, "s", "time")
            report.figure(f"{key}.rate", rate, "requests/s", "rate")
    columns = ("kind", "clients", "requests", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "degraded")
    report.table("Searches over HTTP, measured by the client", columns, rows)
    errors = sum(one.errors for found in loads.values() for one in found)
    report.figure("search.errors", errors, "requests", "count", target=("==", 0))


def _errors(found: SearchLoad) -> str:
    """Number of failed searches, with their statuses."""
    statuses = sorted({sample.status for sample in found.samples} - {200})
    return f"{found.errors} ({', '.join(map(str, statuses))})" if statuses else "0"


def _report_stages(report: Report, loads: Mapping[str, SearchLoad]) -> None:
    """Median time of each stage with one client, and Modulo's own time."""
    rows: list[tuple[Any, ...]] = []
    bars = []
    for name, found in loads.items():
        stages = {stage: _median(found.succeeded, _stage(stage)) for stage in STAGES}
        inner = _median(found.succeeded, lambda sample: sample.answer["execution_time"])
        own_inner = _median(found.succeeded, lambda sample: sample.answer["execution_time"] - _external_seconds(sample))
        total = _median(found.succeeded, lambda sample: sample.seconds)
        own = _median(found.succeeded, own_seconds)
        share = _median(found.succeeded, lambda sample: own_seconds(sample) / sample.seconds)
        rows.append((name, *(value * 1e3 or None for value in stages.values()), inner * 1e3, total * 1e3, own * 1e3))
        report.figure(f"search.{_key(name)}.own_inside", own_inner * 1e3, "ms", "time")
        report.figure(
            f"search.{_key(name)}.own", own * 1e3, "ms", "time", target=("<", 5) if name == "retrieval" else None
        )
        if name == "retrieval":
            report.figure("search.retrieval.own_share", share, "of the total", "ratio", target=("<", 0.15))
        if name in ("cached", "retrieval"):
            other = {"transport and framework": max(0.0, total - inner)}
            waits = {stage: value for stage, value in stages.items() if value}
            rest = {"use case": max(0.0, inner - sum(waits.values()))}
            bars.append((name, {part: value * 1e3 for part, value in (waits | rest | other).items()}))
    columns = ("kind", *(f"{stage} ms" for stage in STAGES), "use case ms", "total ms", "own ms")
    report.table("One client: medians by stage; own = total without embedding, Milvus and models", columns, rows)
    report.bars("A search by stage, one client", "ms, p50", bars)


def _report_invocation(report: Report, product: Product, collection: str) -> None:
    """Time the search handler with an API Gateway event for a cached search."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with in_process_services({**product.environment, "SQLALCHEMY_POOL_SIZE": "1"}) as services:
        functions = FunctionClient(services, product.key, collection)
        question = corpus.questions(1)[0]
        seconds = [_timed(lambda: functions.search(question)) for _ in range(330)][30:]
    p50, p95, p99 = spread(seconds)
    columns = ("handler", "p50 ms", "p95 ms", "p99 ms")
    rows = [("search, cached", p50 * 1e3, p95 * 1e3, p99 * 1e3)]
    report.table("One warm function environment, from event to response", columns, rows)
    report.figure("search.cached.handler_ms", p50 * 1e3, "ms", "time", target=("<=", 2))


def _report_targets(report: Report, loads: Mapping[str, Sequence[SearchLoad]]) -> None:
    """Compare with the architecture document's targets."""

    def p50(name: str) -> float:
        return percentile([sample.seconds for sample in loads[name][0].succeeded], 0.5)

    milvus = _median(loads["retrieval"][0].succeeded, _stage("retrieval"))
    simple, complex_, chain = p50("retrieval"), p50("answer"), p50("chain of thought")
    rows = [
        ("simple search (retrieval)", "0.5-1.0 s", f"{simple:.3f} s"),
        ("complex search (reranked and answered)", "1.0-2.0 s", f"{complex_:.2f} s"),
        ("chain of thought (three parts)", "2.5-5.0 s", f"{chain:.2f} s"),
        ("vector search", "10-50 ms", f"{milvus * 1e3:.1f} ms"),
    ]
    report.table("The architecture document's targets, p50 of one client", ("figure", "documented", "here"), rows)
    report.figure("search.simple_seconds", simple, "s", "time", target=("<=", 1.0))
    report.figure("search.complex_seconds", complex_, "s", "time", target=("<=", 2.0))
    report.figure("search.chain_of_thought_seconds", chain, "s", "time", target=("<=", 5.0))
    report.figure("search.vector_search_ms", milvus * 1e3, "ms", "time", target=("<=", 50))


def _report_memory(report: Report, product: Product) -> None:
    rows, bars = [], []
    for name, pids in product.processes().items():
        proportional = sum(map(proportional_bytes, pids))
        resident, peak = sum(map(resident_bytes, pids)), max(map(peak_bytes, pids))
        rows.append((name, len(pids), resident / MB, proportional / MB, peak / MB))
        bars.append((name, proportional / MB))
        report.figure(f"memory.{name}", proportional, "bytes", "bytes")
    columns = ("program", "processes", "resident MB", "proportional MB", "largest peak MB")
    report.table("Memory after all searches", columns, rows)
    report.bars("Memory of each program", "MB, shared pages divided", bars)


def own_seconds(sample: Sample) -> float:
    """Seconds of a search not spent waiting for the embedder, Milvus or a model."""
    return sample.seconds - _external_seconds(sample)


def _external_seconds(sample: Sample) -> float:
    return sum(sample.stages.get(stage, 0.0) for stage in EXTERNAL_STAGES)


def _stage(name: str) -> Callable[[Sample], float]:
    return lambda sample: sample.stages.get(name, 0.0)


def _median(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    return percentile([value(sample) for sample in samples], 0.5)


def _timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _key(name: str) -> str:
    return name.replace(", ", "_").replace(" ", "_")


if __name__ == "__main__":
    run_question(measure)
