"""How long does a search take, stage by stage, and how much of it is our own?"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from benchmarks import corpus
from benchmarks.asking import Body, Functions, Load, Sample, ask, search_body
from benchmarks.machine import peak_bytes, proportional_bytes, resident_bytes
from benchmarks.measuring import Report, alone, percentile, spread
from benchmarks.product import Product, inside, load, new_collection, running

OTHERS = ("embedding", "retrieval", "rerank", "generation")
"""Stages that wait for the embedder, Milvus and the models; what remains is our own."""
STAGES = ("metadata", "cache", *OTHERS[:2], "documents", *OTHERS[2:])
FILES, SECTIONS = 10, 12
PARTS = (
    "Who rebuilt the bridge of Lund in 1901? How many cellars were flooded at Ribe? What did report {} say about Holm?"
)
MB = 1024**2


@dataclass(frozen=True, slots=True)
class Way:
    """A kind of search: its settings, and how many to ask at 1, 8 and 32 at a time."""

    name: str
    config: Mapping[str, Any]
    counts: tuple[int, int, int]
    repeated: bool = False
    parts: bool = False


WAYS = (
    Way("cached", {}, (400, 800, 1_600), repeated=True),
    Way("retrieval", {"retrieve_only": True, "disable_rerank": True}, (120, 160, 320)),
    Way("retrieval, reranked", {"retrieve_only": True}, (15, 24, 48)),
    Way("answer", {}, (12, 24, 40)),
    Way("chain of thought", {"cot_enabled": True}, (6, 8, 0), parts=True),
)
CONCURRENCY = (1, 8, 32)


def measure(report: Report) -> None:
    """Ask one product everything, the cheap ways first."""
    with running() as product:
        collection = _filled(product)
        loads = {way.name: _asked(product, collection, way, number) for number, way in enumerate(WAYS)}
        _tell_latency(report, loads)
        _tell_stages(report, {name: found[0] for name, found in loads.items()})
        _tell_invocation(report, product, collection)
        _tell_targets(report, loads)
        _tell_memory(report, product)
    report.note(
        f"{FILES} files of {SECTIONS} pages, k = 10. Servers, models and clients share the machine's cores: "
        "at 8 and 32 at a time, latency is mostly waiting for a core."
    )


def _filled(product: Product) -> str:
    with product.client() as client:
        collection = new_collection(client, "search")
        texts = {f"report-{n}.txt": corpus.text(corpus.sections(SECTIONS, seed=n)) for n in range(FILES)}
        load(client, collection, texts)
    return collection


def _asked(product: Product, collection: str, way: Way, seed: int) -> list[Load]:
    """A load for each concurrency; every question is new, or, repeated, one that was asked before."""

    def body(number: int) -> Body:
        text = PARTS.format(number) if way.parts else asked[number]
        return search_body(collection, text, **way.config)

    wanted = sum(way.counts)
    asked = corpus.questions(1 if way.repeated else wanted + 2, seed=7 if way.repeated else seed + 100)
    ask(product, [body(0), body(0 if way.repeated else 1)])  # opens connections, and fills the cache
    found, start = [], 2
    for count, concurrency in zip(way.counts, CONCURRENCY, strict=True):
        if count:
            bodies = [body(0 if way.repeated else number) for number in range(start, start + count)]
            found.append(ask(product, bodies, concurrency=concurrency))
            start += count
    return found


def _tell_latency(report: Report, loads: Mapping[str, Sequence[Load]]) -> None:
    rows = []
    for name, found in loads.items():
        for concurrency, one in zip(CONCURRENCY, found, strict=False):
            p50, p95, p99 = spread([sample.seconds for sample in one.good])
            rate = len(one.good) / one.seconds
            degraded = sum(bool(sample.answer["metadata"]["degraded"]) for sample in one.good)
            count = len(one.samples)
            row = (name, concurrency, count, rate, p50 * 1e3, p95 * 1e3, p99 * 1e3, _errors(one), degraded)
            rows.append(row)
            key = f"search.{_key(name)}.{concurrency}"
            report.figure(f"{key}.p50", p50, "s", "time")
            report.figure(f"{key}.rate", rate, "requests/s", "rate")
    columns = ("way", "at a time", "requests", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "degraded")
    report.table("Searches over HTTP, seen by the client", columns, rows)
    errors = sum(one.errors for found in loads.values() for one in found)
    report.figure("search.errors", errors, "requests", "count", target=("==", 0))


def _errors(found: Load) -> str:
    """How many were not answered, with their statuses."""
    statuses = sorted({sample.status for sample in found.samples} - {200})
    return f"{found.errors} ({', '.join(map(str, statuses))})" if statuses else "0"


def _tell_stages(report: Report, loads: Mapping[str, Load]) -> None:
    """Where the time goes with one client: medians of each stage, and what is our own."""
    rows: list[tuple[Any, ...]] = []
    bars = []
    for name, found in loads.items():
        stages = {stage: _median(found.good, _stage(stage)) for stage in STAGES}
        inner = _median(found.good, lambda sample: sample.answer["execution_time"])
        own_inner = _median(found.good, lambda sample: sample.answer["execution_time"] - _waited(sample))
        total = _median(found.good, lambda sample: sample.seconds)
        own = _median(found.good, own_seconds)
        share = _median(found.good, lambda sample: own_seconds(sample) / sample.seconds)
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
    columns = ("way", *(f"{stage} ms" for stage in STAGES), "use case ms", "total ms", "own ms")
    report.table("One client: medians by stage; own = total less embedding, Milvus and models", columns, rows)
    report.bars("A search by stage, one client", "ms, p50", bars)


def _tell_invocation(report: Report, product: Product, collection: str) -> None:
    """A cached search as a function serves it: the handler called with API Gateway's event."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with inside({**product.environment, "SQLALCHEMY_POOL_SIZE": "1"}) as services:
        functions = Functions(services, product.key, collection)
        question = corpus.questions(1)[0]
        seconds = [_timed(lambda: functions.search(question)) for _ in range(330)][30:]
    p50, p95, p99 = spread(seconds)
    columns = ("handler", "p50 ms", "p95 ms", "p99 ms")
    rows = [("search, cached", p50 * 1e3, p95 * 1e3, p99 * 1e3)]
    report.table("One warm function environment, from event to response", columns, rows)
    report.figure("search.cached.handler_ms", p50 * 1e3, "ms", "time", target=("<=", 2))


def _tell_targets(report: Report, loads: Mapping[str, Sequence[Load]]) -> None:
    """The architecture document's table with our figures beside it."""

    def p50(name: str) -> float:
        return percentile([sample.seconds for sample in loads[name][0].good], 0.5)

    milvus = _median(loads["retrieval"][0].good, _stage("retrieval"))
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


def _tell_memory(report: Report, product: Product) -> None:
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
    """What of a search is neither embedder nor Milvus nor model."""
    return sample.seconds - _waited(sample)


def _waited(sample: Sample) -> float:
    return sum(sample.stages.get(stage, 0.0) for stage in OTHERS)


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
    alone(measure)
