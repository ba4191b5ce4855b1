"""What does a search, an ingested page and an idle month cost on AWS?"""

import asyncio
import io
import json
import sysconfig
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import yaml

from benchmarks import corpus
from benchmarks.asking import Functions
from benchmarks.cost_page import UNITS, inputs, tables
from benchmarks.costing import (
    DEPLOYMENTS,
    GENERATED_A_SECOND,
    KINDS,
    LITE,
    MILLION,
    PAGES,
    Deployment,
    Measured,
    Usage,
    always_on,
    idle,
    pages,
    search,
    total,
)
from benchmarks.first_events import Scene, start
from benchmarks.machine import ROOT, cpu_seconds, family_seconds
from benchmarks.measuring import Kind, Report, alone
from benchmarks.prices import REGION
from benchmarks.product import Product, inside, new_collection, running
from benchmarks.wires import Counts, counted
from modulo.adapters.parsers import parser_for
from modulo.domain.answer import Draft, Prompt
from modulo.domain.chunking import chunk
from modulo.domain.collection import Chunking
from modulo.domain.media import PDF
from modulo.domain.prompt import prompt_tokens
from modulo.domain.tokens import estimate
from modulo.ports import Generator
from modulo.runtime.worker import function
from modulo.services import Services

FILES, PAGES_A_FILE = 2, 20
CACHED, SEARCHES, ANSWERS, SWEEPS = 200, 60, 8, 50
"""So many, since Postgres' time is told in hundredths of a second."""
COUNTED = 4
RETRIEVE = {"retrieve_only": True, "disable_rerank": True}
ANSWER = {"disable_rerank": True}
SETTLE_SECONDS = 0.05
KB = 1024
Work = Callable[[], object]


def measure(report: Report) -> None:
    """Measure every kind of event through its handler, then let prices speak."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with running(workers=()) as product:
        environment = {**product.environment, "METRICS": "emf", "SQLALCHEMY_POOL_SIZE": "1", "LOG_LEVEL": "ERROR"}
        with redirect_stdout(io.StringIO()):  # metrics, as functions print them
            measured = Events(product, environment).measured()
    tell(report, measured)


@dataclass(slots=True)
class Noted:
    """A generator that also notes what a language model would read and write for each prompt."""

    own: Generator
    name: str
    read: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    def reserve(self, prompt: Prompt) -> int:
        """As it does."""
        return self.own.reserve(prompt)

    def generate(self, prompt: Prompt) -> Draft:
        """As it does, and note the tokens."""
        draft = self.own.generate(prompt)
        self.read.append(prompt_tokens(prompt))
        self.written.append(estimate(draft.text))
        return draft

    def ping(self) -> None:
        """As it does."""
        self.own.ping()


@dataclass(frozen=True, slots=True)
class Events:
    """One product, whose functions' handlers are called in this process."""

    product: Product
    environment: dict[str, str]

    def measured(self) -> Measured:
        """Usage of every kind of event, on average of several."""
        with inside(self.environment) as services:
            services.generator = noted = Noted(services.generator, services.generator.name)
            timed = self._each(services, self._timed)
        with counted(self.environment) as (counts, rewired), inside(rewired) as services:
            sent = self._each(services, lambda runs, work: _counted(counts, runs, work))
        with inside(self.environment):  # last: its uploads leave messages in the queue
            cold = {name: self._cold(name) for name in ("search", "ingest_file")}
        query = float(estimate(corpus.questions(1)[0]))
        tokens = {
            "retrieval": {"embedded_tokens": query},
            "answer": {
                "embedded_tokens": query,
                "prompt_tokens": sum(noted.read) / len(noted.read),
                "answer_tokens": sum(noted.written) / len(noted.written),
            },
            "ingest": {"embedded_tokens": _embedded_tokens()},
        }
        usage = {name: Usage(**timed[name], **sent[name], **tokens.get(name, {})) for name in timed}
        usage["answer"] = as_if_generated(usage["answer"], usage["retrieval"])
        return Measured(
            **usage,
            search_cold_seconds=cold["search"],
            ingest_cold_seconds=cold["ingest_file"],
            pages_a_file=PAGES_A_FILE,
            search_mb=memory("Search"),
            ingest_mb=memory("IngestFile"),
            other_mb=memory("Sweep"),
        )

    def _each(self, services: Services, take: Callable[[int, Work], dict[str, float]]) -> dict[str, dict[str, float]]:
        """What `take` finds out of each kind of event, given how often to do it and how."""
        with self.product.client() as client:
            functions = Functions(services, self.product.key, new_collection(client, f"cost {uuid4()}"))
        question = (f"{text} {uuid4()}" for text in corpus.questions(10_000))
        files, deliveries = iter([(f"{seed}.pdf", _file(seed)) for seed in range(FILES)]), []
        functions.upload("first.pdf", corpus.pdf(corpus.sections(1, seed=FILES)))
        functions.ingest(functions.delivery())
        found = {"upload": take(FILES, lambda: functions.upload(*next(files)))}
        deliveries += [functions.delivery() for _ in range(FILES)]
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
        """Seconds of one run: on the processor, waiting, and of Postgres' processors."""
        others = {pid for pids in self.product.processes().values() for pid in pids}
        cpu, database, started = family_seconds(others), self._database_seconds(), perf_counter()
        for _ in range(runs):
            work()
        wall, cpu = perf_counter() - started, family_seconds(others) - cpu
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


def _counted(counts: Counts, runs: int, work: Work) -> dict[str, float]:
    """What one run sends and receives, writes and logs; an answer's size."""
    runs = min(runs, COUNTED)
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
    metrics = {_metric(line) for line in logged.getvalue().splitlines() if '"_aws"' in line}
    return {**{name: value / runs for name, value in taken.items()}, "metrics": len(metrics)}


def _metric(line: str) -> tuple[str, ...]:
    """The name of a metric, as its log line has it, with its labels' values: what is paid for as one."""
    logged = json.loads(line)
    (told,) = logged["_aws"]["CloudWatchMetrics"]
    return told["Metrics"][0]["Name"], *(logged[label] for label in told["Dimensions"][0])


def as_if_generated(answer: Usage, retrieval: Usage) -> Usage:
    """The answer's usage with a language model behind it, in place of the local models that were waited for."""
    waited = retrieval.wait_seconds + answer.answer_tokens / GENERATED_A_SECOND
    return replace(answer, wait_seconds=waited)


def memory(logical_id: str) -> float:
    """The megabytes of a function in the template."""
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Template)  # noqa: S506 - reads tags as text
    default = template["Globals"]["Function"]["MemorySize"]
    return float(template["Resources"][logical_id]["Properties"].get("MemorySize", default))


class _Template(yaml.SafeLoader):  # type: ignore[misc]  # it ships no types
    """Reads CloudFormation's own tags, of which nothing is needed here."""


_Template.add_multi_constructor("!", lambda *_: None)


def _file(seed: int) -> bytes:
    return corpus.pdf(corpus.sections(PAGES_A_FILE, seed=seed))


def _embedded_tokens() -> float:
    pages = parser_for(PDF).parse(io.BytesIO(_file(0))).pages()
    return float(sum(estimate(piece.embedded_text) for piece in chunk(pages, Chunking())))


def tell(report: Report, measured: Measured) -> None:
    """Print what was measured and what it costs."""
    for key, value in inputs(measured).items():
        of: Kind = "time" if key.endswith("seconds") else "bytes"
        report.figure(f"cost.measured.{key}", value, UNITS[key.rpartition(".")[2]], of)
    for title, columns, rows in tables(measured):
        report.table(title, columns, rows)
    for one in DEPLOYMENTS:
        for kind in KINDS:
            value = total(search(measured, kind, one)) * MILLION
            report.figure(f"cost.{key_of(one)}.{kind}", value, "$ a million", "ratio", tolerance=0.5)
        ingested = total(pages(measured, one)) * PAGES
        report.figure(f"cost.{key_of(one)}.pages", ingested, "$ a thousand pages", "ratio", tolerance=0.5)
        report.figure(f"cost.{key_of(one)}.idle", total(idle(measured, one)), "$ a month", "ratio", tolerance=0.1)
    report.figure("cost.always_on.idle", total(always_on()), "$ a month", "ratio", tolerance=0.1)
    searches = [(told, total(search(measured, kind, LITE)) * MILLION) for kind, told in KINDS.items()]
    report.bars("A million searches, lite", "$", searches)
    told = "what a search takes of Zilliz Serverless could not be confirmed"
    report.note(f"List prices in {REGION}, as others quote them (prices.py); {told}.")
    report.note("The assumptions are in infra/costs.md; `python -m benchmarks.cost_page` brings its tables up to date.")


def key_of(deployment: Deployment) -> str:
    """The deployment in the names of figures."""
    return deployment.name.replace(" ", "_").lower()


if __name__ == "__main__":
    alone(measure)
