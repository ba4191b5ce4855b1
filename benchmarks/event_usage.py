"""Measures the resource usage of each kind of event through the functions' handlers."""

import io
import json
import sysconfig
import time
from collections import abc
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import yaml

from benchmarks import corpus
from benchmarks.cost_model import (
    GENERATED_A_SECOND,
    MeasuredUsage,
    Usage,
)
from benchmarks.first_events import Scene
from benchmarks.fresh_process import start
from benchmarks.machine import ROOT, cpu_seconds, tree_cpu_seconds
from benchmarks.product import Product, in_process_services, new_collection
from benchmarks.search_clients import FunctionClient
from benchmarks.traffic import TrafficCounts, count_traffic
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt
from modulo.domain.answers.prompt import prompt_tokens
from modulo.domain.collections.collection import Chunking
from modulo.domain.files.media import PDF
from modulo.domain.ingestion.chunking import chunk
from modulo.domain.text.tokens import estimate
from modulo.ports.models import Generator
from modulo.runtime.worker import function
from modulo.services import Services

FILES, PAGES_A_FILE = 2, 20
CACHED, SEARCHES, ANSWERS, SWEEPS = 200, 60, 8, 50
"""Repetitions of each event. They are many because CPU times of processes have a resolution of 10 ms."""
MAX_COUNTED_RUNS = 4
RETRIEVE = {"retrieve_only": True, "disable_rerank": True}
ANSWER = {"disable_rerank": True}
SETTLE_SECONDS = 0.05
KB = 1024
Work = Callable[[], object]


@dataclass(slots=True)
class TokenCountingGenerator:
    """Wraps a generator and records the tokens that a language model would read and write."""

    generator: Generator
    name: str
    read: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    def reserve(self, prompt: Prompt) -> int:
        """The wrapped generator's reservation."""
        return self.generator.reserve(prompt)

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The wrapped generator's draft; records its tokens."""
        draft = self.generator.generate(prompt)
        self.read.append(prompt_tokens(prompt))
        self.written.append(estimate(draft.text))
        return draft

    def stream(self, prompt: Prompt) -> abc.Generator[DraftPart, None, None]:
        """The draft as one part."""
        draft = self.generate(prompt)
        yield DraftPart(draft.text, draft.tokens)

    def ping(self) -> None:
        """Ping the wrapped generator."""
        self.generator.ping()


@dataclass(frozen=True, slots=True)
class EventMeter:
    """Measures events by calling the functions' handlers in this process."""

    product: Product
    environment: dict[str, str]

    def measured(self) -> MeasuredUsage:
        """Average usage of every kind of event."""
        with in_process_services(self.environment) as services:
            services.generator = counting = TokenCountingGenerator(services.generator, services.generator.name)
            timed = self._each(services, self._timed)
        with (
            count_traffic(self.environment) as (counts, proxied_environment),
            in_process_services(proxied_environment) as services,
        ):
            sent = self._each(services, lambda runs, work: _count_usage(counts, runs, work))
        with in_process_services(self.environment):  # last: its uploads leave messages in the queue
            cold = {name: self._cold(name) for name in ("search", "ingest_file")}
        query = float(estimate(corpus.questions(1)[0]))
        tokens = {
            "retrieval": {"embedded_tokens": query},
            "answer": {
                "embedded_tokens": query,
                "prompt_tokens": sum(counting.read) / len(counting.read),
                "answer_tokens": sum(counting.written) / len(counting.written),
            },
            "ingest": {"embedded_tokens": _embedded_tokens()},
        }
        usage = {name: Usage(**timed[name], **sent[name], **tokens.get(name, {})) for name in timed}
        usage["answer"] = as_if_generated(usage["answer"], usage["retrieval"])
        return MeasuredUsage(
            **usage,
            search_cold_seconds=cold["search"],
            ingest_cold_seconds=cold["ingest_file"],
            pages_a_file=PAGES_A_FILE,
            search_mb=memory("Search"),
            ingest_mb=memory("IngestFile"),
            other_mb=memory("Sweep"),
        )

    def _each(self, services: Services, take: Callable[[int, Work], dict[str, float]]) -> dict[str, dict[str, float]]:
        """Apply `take` to each kind of event; it gets the number of runs and the work."""
        with self.product.client() as client:
            functions = FunctionClient(services, self.product.key, new_collection(client, f"cost {uuid4()}"))
        question = (f"{text} {uuid4()}" for text in corpus.questions(10_000))
        files, deliveries = iter([(f"{seed}.pdf", _file(seed)) for seed in range(FILES)]), []
        functions.upload("first.pdf", corpus.pdf(corpus.sections(1, seed=FILES)))
        functions.ingest(functions.receive_upload())
        found = {"upload": take(FILES, lambda: functions.upload(*next(files)))}
        deliveries += [functions.receive_upload() for _ in range(FILES)]
        found["ingest"] = take(FILES, lambda: functions.ingest(deliveries.pop()))
        known = next(question)
        functions.search(known, **RETRIEVE)
        functions.search(next(question), **ANSWER)
        found["cached"] = take(CACHED, lambda: functions.search(known, **RETRIEVE))
        found["retrieval"] = take(SEARCHES, lambda: functions.search(next(question), **RETRIEVE))
        found["answer"] = take(ANSWERS, lambda: functions.search(next(question), **ANSWER))
        found["sweep"] = take(SWEEPS, lambda: function("sweep").handler({"source": "aws.scheduler"}, None))
        return found

    def _timed(self, runs: int, work: Work) -> dict[str, float]:
        """Average seconds of one run: CPU time, waiting, and CPU time of Postgres."""
        others = {pid for pids in self.product.processes().values() for pid in pids}
        cpu, database, started = tree_cpu_seconds(others), self._database_seconds(), perf_counter()
        for _ in range(runs):
            work()
        wall, cpu = perf_counter() - started, tree_cpu_seconds(others) - cpu
        database = max(0.0, self._database_seconds() - database)
        taken = {"cpu_seconds": cpu, "wait_seconds": max(0.0, wall - cpu), "database_seconds": database}
        return {name: value / runs for name, value in taken.items()}

    def _database_seconds(self) -> float:
        return sum(map(cpu_seconds, self.product.processes()["postgres"]))

    def _cold(self, name: str) -> float:
        path = [ROOT / "layers" / "core" / "python", Path(sysconfig.get_paths()["purelib"])]
        found = start(ROOT / "functions" / name, Scene().event(name), self.environment, path)
        if found.status >= 400:
            raise RuntimeError(f"{name} answered {found.status}: {found.body}")
        return found.cpu_seconds


def _count_usage(counts: TrafficCounts, runs: int, work: Work) -> dict[str, float]:
    """Average traffic, statements, log size and response size of one run."""
    runs = min(runs, MAX_COUNTED_RUNS)
    time.sleep(SETTLE_SECONDS)
    counts.clear()
    with redirect_stdout(io.StringIO()) as logged:
        answers = [work() for _ in range(runs)]
    time.sleep(SETTLE_SECONDS)

    def kilobytes(server: str, *ways: str) -> float:
        return sum(counts[server, way] for way in ways) / KB

    taken = {
        "database_writes": counts["postgres", "statements"],
        "cache_kb": max(kilobytes("valkey", "sent", "received"), counts["valkey", "exchanges"]),
        "vector_reads": counts["milvus", "calls"],
        "vector_kb": kilobytes("milvus", "sent"),
        "answer_kb": sum(len(answer) for answer in answers if isinstance(answer, str)) / KB,
        "log_kb": len(logged.getvalue()) / KB,
    }
    metrics = {metric for line in logged.getvalue().splitlines() if '"_aws"' in line for metric in _metrics(line)}
    return {**{name: value / runs for name, value in taken.items()}, "metrics": len(metrics)}


def _metrics(line: str) -> Iterator[tuple[str, ...]]:
    """The names and label values of the metrics in an EMF log line; each combination is billed as one metric."""
    logged = json.loads(line)
    (directive,) = logged["_aws"]["CloudWatchMetrics"]
    labels = [logged[label] for label in directive["Dimensions"][0]]
    for metric in directive["Metrics"]:
        yield metric["Name"], *labels


def as_if_generated(answer: Usage, retrieval: Usage) -> Usage:
    """The answer's usage with the waiting time of a real language model instead of the local models'."""
    waited = retrieval.wait_seconds + answer.answer_tokens / GENERATED_A_SECOND
    return replace(answer, wait_seconds=waited)


def memory(logical_id: str) -> float:
    """Memory size of a function in the template, in MB."""
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Template)  # noqa: S506 - a safe loader
    default = template["Globals"]["Function"]["MemorySize"]
    return float(template["Resources"][logical_id]["Properties"].get("MemorySize", default))


class _Template(yaml.SafeLoader):  # type: ignore[misc]  # it ships no types
    """A YAML loader that ignores CloudFormation's tags."""


_Template.add_multi_constructor("!", lambda *_: None)


def _file(seed: int) -> bytes:
    return corpus.pdf(corpus.sections(PAGES_A_FILE, seed=seed))


def _embedded_tokens() -> float:
    pages = parser_for(PDF).parse(io.BytesIO(_file(0))).pages()
    return float(sum(estimate(piece.embedded_text) for piece in chunk(pages, Chunking())))
