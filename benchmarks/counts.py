"""How many statements, commands, calls and bytes does each request take?"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import redis

from benchmarks import corpus
from benchmarks.asking import Functions
from benchmarks.measuring import Report, Target, alone, percentile, written
from benchmarks.product import inside, new_collection, running
from benchmarks.wires import SERVERS, Counts, counted
from modulo.domain.answer import Draft, Prompt, Tokens
from modulo.ports import Generator

REPEATS = 7
SETTLE_SECONDS = 0.02
"""For the last bytes to pass the proxies' threads."""
KINDS = (
    ("postgres", "statements"),
    ("postgres", "exchanges"),
    ("valkey", "commands"),
    ("valkey", "exchanges"),
    ("milvus", "calls"),
    ("models", "exchanges"),
    ("cloud", "exchanges"),
)
MOST = {("postgres", "statements"): 2, ("valkey", "exchanges"): 2, ("milvus", "calls"): 1}
"""What a search may take."""
SEARCHES = ("cached search", "uncached search", "uncached answer", "metered answer")
RETRIEVE = {"retrieve_only": True, "disable_rerank": True}
Found = Mapping[tuple[str, str], float]


def measure(report: Report) -> None:
    """Send each kind of request several times through the functions' handlers and count at every connection."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with running(workers=()) as product:
        # A function asks again for a key after some seconds; here the moment must not matter.
        environment = {**product.environment, "API_KEY_CACHE_SECONDS": "3600", "SQLALCHEMY_POOL_SIZE": "1"}
        with counted(environment) as (counts, rewired), inside(rewired) as services, product.client() as client:
            valkey = redis.Redis.from_url(product.environment["CACHE_URL"])
            functions = Functions(services, product.key, new_collection(client, "counts"))
            watch = Watch(functions, counts, valkey)
            found = watch.writes() | watch.searches()
            valkey.close()
    _tell(report, found)


class Metered:
    """A generator as one is that counts tokens."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name = generator.name

    def reserve(self, _: Prompt) -> int:
        """As for a short prompt."""
        return 1_000

    def generate(self, prompt: Prompt) -> Draft:
        """The other's draft, with tokens."""
        return replace(self._generator.generate(prompt), tokens=Tokens(500, 100))

    def ping(self) -> None:
        """Ask the other."""
        self._generator.ping()


@dataclass(frozen=True, slots=True)
class Watch:
    """Requests sent one after the other, each with what it took."""

    functions: Functions
    counts: Counts
    valkey: "redis.Redis"

    def writes(self) -> dict[str, Found]:
        """An upload of 3 pages, and its ingestion from the queue's message to its removal."""
        uploads, ingests = [], []
        for number in range(REPEATS + 1):
            content = corpus.text(corpus.sections(3, seed=number))
            uploads.append(self.during(partial(self.functions.upload, f"{number}.txt", content)))
            ingests.append(self.during(partial(self.functions.ingest, self.functions.delivery())))
        # The first of each opens connections and makes the collection in Milvus.
        return {"upload": _typical(uploads[1:]), "ingested file": _typical(ingests[1:])}

    def searches(self) -> dict[str, Found]:
        """A cached search, one that is new, new ones with an answer, and the first of a user."""
        asked = iter(corpus.questions(4 * REPEATS + 2))
        self.functions.search(next(asked))
        known = next(asked)
        self.functions.search(known, **RETRIEVE)
        free = self.functions.services.generator
        found = {
            "cached search": self.often(lambda: self.functions.search(known, **RETRIEVE)),
            "uncached search": self.often(lambda: self.functions.search(next(asked), **RETRIEVE)),
            "uncached answer": self.often(lambda: self.functions.search(next(asked))),
        }
        self.functions.services.generator = Metered(free)
        found["metered answer"] = self.often(lambda: self.functions.search(next(asked)))
        found["first metered answer"] = self.often(
            lambda: self.functions.search(next(asked)), before=self.valkey.flushdb
        )
        return found

    def often(self, work: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> Found:
        """What is typical of the work."""
        found = []
        for _ in range(REPEATS):
            before()
            found.append(self.during(work))
        return _typical(found)

    def during(self, work: Callable[[], object]) -> dict[tuple[str, str], int]:
        """What was counted while the work was done."""
        time.sleep(SETTLE_SECONDS)
        commands = self.commands()
        self.counts.clear()
        work()
        time.sleep(SETTLE_SECONDS)
        return {**self.counts, ("valkey", "commands"): self.commands() - commands}

    def commands(self) -> int:
        """Commands that the cache's server has served so far, without those that ask for this."""
        served: dict[str, dict[str, int]] = self.valkey.info("commandstats")
        return sum(stats["calls"] for name, stats in served.items() if name not in ("cmdstat_info", "cmdstat_auth"))


def _typical(found: Sequence[Mapping[tuple[str, str], int]]) -> Found:
    return {key: percentile([one.get(key, 0) for one in found], 0.5) for one in found for key in one}


def _tell(report: Report, found: Mapping[str, Found]) -> None:
    rows = [(name, *(one.get(kind, 0) for kind in KINDS)) for name, one in found.items()]
    report.table("Sent by one request; each number is typical of several", ("request", *map(" ".join, KINDS)), rows)
    sizes = [(name, *(_told(one, server) for server in SERVERS)) for name, one in found.items()]
    report.table("Bytes on the wire of one request, sent / received", ("request", *SERVERS), sizes)
    for name, one in found.items():
        key = f"counts.{name.replace(' ', '_')}"
        for kind in KINDS:
            most = MOST.get(kind) if name in SEARCHES else None
            target: Target | None = ("<=", most) if most else None
            report.figure(f"{key}.{'.'.join(kind)}", one.get(kind, 0), kind[1], "count", target=target)
        for server in SERVERS:
            report.figure(f"{key}.{server}.bytes", sum(_bytes(one, server)), "bytes", "bytes")
    report.note(
        "An exchange is one turn on a connection: all that was sent before an answer came counts once. "
        "A key is looked up once in API_KEY_CACHE_SECONDS, which these requests do not see. The first search of a "
        "user in a collection asks for leave by itself; the cache then knows where to search, for all environments."
    )


def _bytes(found: Found, server: str) -> tuple[float, float]:
    return found.get((server, "sent"), 0), found.get((server, "received"), 0)


def _told(found: Found, server: str) -> str:
    return " / ".join(map(written, _bytes(found, server)))


if __name__ == "__main__":
    alone(measure)
