"""How many statements, commands, calls and bytes does each request take?"""

import asyncio
import time
from collections import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import redis

from benchmarks import corpus
from benchmarks.product import in_process_services, new_collection, start_product
from benchmarks.report import Report, Target, format_cell, percentile, run_question
from benchmarks.search_clients import FunctionClient
from benchmarks.traffic import SERVERS, TrafficCounts, count_traffic
from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt, TokenUsage
from modulo.ports.models import Generator

REPEATS = 7
SETTLE_SECONDS = 0.02
"""Time for the last bytes to pass the proxies."""
KINDS = (
    ("postgres", "statements"),
    ("postgres", "exchanges"),
    ("valkey", "commands"),
    ("valkey", "exchanges"),
    ("milvus", "calls"),
    ("models", "exchanges"),
    ("cloud", "exchanges"),
)
MAX_COUNTS = {("postgres", "statements"): 2, ("valkey", "exchanges"): 2, ("milvus", "calls"): 2}
"""Targets for one search; its two calls to Milvus are under way at once."""
SEARCHES = ("cached search", "uncached search", "uncached answer", "metered answer")
RETRIEVE = {"retrieve_only": True, "disable_rerank": True}
Trips = Mapping[tuple[str, str], float]
"""Counts of one request, by server and kind."""


def measure(report: Report) -> None:
    """Send each kind of request several times to the functions' handlers and count the traffic to every server."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with start_product(workers=()) as product:
        # Cache API keys for long, so that a lookup after the cache's expiry does not disturb the counts.
        environment = {**product.environment, "API_KEY_CACHE_SECONDS": "3600", "SQLALCHEMY_POOL_SIZE": "1"}
        with (
            count_traffic(environment) as (counts, proxied_environment),
            in_process_services(proxied_environment) as services,
            product.client() as client,
        ):
            valkey = redis.Redis.from_url(product.environment["CACHE_URL"])
            functions = FunctionClient(services, product.key, new_collection(client, "counts"))
            watch = RoundTripMeter(functions, counts, valkey)
            found = watch.writes() | watch.searches()
            valkey.close()
    _report(report, found)


class MeteredGenerator:
    """Makes a generator reserve and use tokens, as a paid language model does."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name

    def reserve(self, _: Prompt) -> int:
        """The tokens to reserve for a short prompt."""
        return 1_000

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """The wrapped generator's draft, with token counts."""
        return replace(self._generator.generate(prompt), tokens=TokenUsage(500, 100))

    def stream(self, prompt: Prompt) -> abc.Generator[DraftPart, None, None]:
        """The draft as one part."""
        draft = self.generate(prompt)
        yield DraftPart(draft.text, draft.tokens)

    def ping(self) -> None:
        """Ping the wrapped generator."""
        self._generator.ping()


@dataclass(frozen=True, slots=True)
class RoundTripMeter:
    """Sends requests one after the other and counts the traffic of each."""

    functions: FunctionClient
    counts: TrafficCounts
    valkey: "redis.Redis"

    def writes(self) -> dict[str, Trips]:
        """Counts of an upload of 3 pages, and of its ingestion until the queue message is deleted."""
        uploads, ingests = [], []
        for number in range(REPEATS + 1):
            content = corpus.text(corpus.sections(3, seed=number))
            uploads.append(self.during(partial(self.functions.upload, f"{number}.txt", content)))
            ingests.append(self.during(partial(self.functions.ingest, self.functions.receive_upload())))
        # Leave out the first of each: it opens connections and creates the collection in Milvus.
        return {"upload": _typical(uploads[1:]), "ingested file": _typical(ingests[1:])}

    def searches(self) -> dict[str, Trips]:
        """Counts of cached and uncached searches, uncached answers, and a user's first search."""
        questions = iter(corpus.questions(4 * REPEATS + 2))
        self.functions.search(next(questions))
        known = next(questions)
        self.functions.search(known, **RETRIEVE)
        free = self.functions.services.generator
        found = {
            "cached search": self.often(lambda: self.functions.search(known, **RETRIEVE)),
            "uncached search": self.often(lambda: self.functions.search(next(questions), **RETRIEVE)),
            "uncached answer": self.often(lambda: self.functions.search(next(questions))),
        }
        self.functions.services.generator = MeteredGenerator(free)
        found["metered answer"] = self.often(lambda: self.functions.search(next(questions)))
        found["first metered answer"] = self.often(
            lambda: self.functions.search(next(questions)), before=self.valkey.flushdb
        )
        return found

    def often(self, work: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> Trips:
        """Median counts of several repetitions; `before` runs ahead of each."""
        found = []
        for _ in range(REPEATS):
            before()
            found.append(self.during(work))
        return _typical(found)

    def during(self, work: Callable[[], object]) -> dict[tuple[str, str], int]:
        """The counts of one run of the work."""
        time.sleep(SETTLE_SECONDS)
        commands = self.commands()
        self.counts.clear()
        work()
        time.sleep(SETTLE_SECONDS)
        return {**self.counts, ("valkey", "commands"): self.commands() - commands}

    def commands(self) -> int:
        """Commands that Valkey has served so far, without those of this measurement."""
        served: dict[str, dict[str, int]] = self.valkey.info("commandstats")
        return sum(stats["calls"] for name, stats in served.items() if name not in ("cmdstat_info", "cmdstat_auth"))


def _typical(found: Sequence[Mapping[tuple[str, str], int]]) -> Trips:
    return {key: percentile([one.get(key, 0) for one in found], 0.5) for one in found for key in one}


def _report(report: Report, found: Mapping[str, Trips]) -> None:
    rows = [(name, *(one.get(kind, 0) for kind in KINDS)) for name, one in found.items()]
    report.table("Sent by one request; each number is typical of several", ("request", *map(" ".join, KINDS)), rows)
    sizes = [(name, *(_sent_received(one, server) for server in SERVERS)) for name, one in found.items()]
    report.table("Bytes on the wire of one request, sent / received", ("request", *SERVERS), sizes)
    for name, one in found.items():
        key = f"round_trips.{name.replace(' ', '_')}"
        for kind in KINDS:
            limit = MAX_COUNTS.get(kind) if name in SEARCHES else None
            target: Target | None = ("<=", limit) if limit else None
            report.figure(f"{key}.{'.'.join(kind)}", one.get(kind, 0), kind[1], "count", target=target)
        for server in SERVERS:
            report.figure(f"{key}.{server}.bytes", sum(_bytes(one, server)), "bytes", "bytes")
    report.note(
        "An exchange is one request and its response on a connection; pipelined requests count as one. API keys are "
        "looked up once in API_KEY_CACHE_SECONDS, which is not included. A user's first search in a collection looks "
        "up the grant separately; all environments then find it in the cache."
    )


def _bytes(found: Trips, server: str) -> tuple[float, float]:
    return found.get((server, "sent"), 0), found.get((server, "received"), 0)


def _sent_received(found: Trips, server: str) -> str:
    return " / ".join(map(format_cell, _bytes(found, server)))


if __name__ == "__main__":
    run_question(measure)
