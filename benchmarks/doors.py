"""How much time does each front door add to the use case that it calls?"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any, Final
from uuid import UUID

from fastapi import FastAPI

from benchmarks import corpus
from benchmarks.door_requests import NAME, USE_CASES, Door, doors, modern_headers
from benchmarks.first_events import MCP_TYPES
from benchmarks.hash_embedder import hash_embedder
from benchmarks.product import in_process_services, new_collection, start_product
from benchmarks.report import Report, percentile, run_question
from benchmarks.search_clients import FunctionClient, search_body
from modulo.cli.serve import composed
from modulo.domain.search.search import SearchInput
from modulo.domain.tenancy.identity import Principal, Scope
from modulo.runtime.auth import authorize
from modulo.services import Services
from modulo.usecases.search.ports import SearchPorts
from modulo.usecases.search.search import search

ROUNDS: Final = {"cached": 200, "uncached": 100}
"""In each round every door and both use cases are asked once, so that all meet the same load, and each begins in turn.

All of them are asked the same question, with another number in it: a different one would take more or less time."""
WARM_UP: Final = 5
SETTINGS: Final = {"API_KEY_CACHE_SECONDS": "3600", "LOG_LEVEL": "WARNING"}
"""Keys are looked up once; log lines would be printed among the results."""
MAX_MILLISECONDS: Final = 3
MS: Final = 1e3


@dataclass(slots=True)
class Times:
    """Milliseconds of each call, on the clock and of this process's processor time."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, started: tuple[float, float], ended: tuple[float, float]) -> None:
        """Add a call that lasted from one moment to another."""
        self.clock.append((ended[0] - started[0]) * MS)
        self.processor.append((ended[1] - started[1]) * MS)


Found = Mapping[str, Mapping[str, Times]]
"""By kind of search, and by door or use case."""


def measure(report: Report) -> None:
    """Ask through each door's routes and by the use cases in turn, in this process and past any socket."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with hash_embedder() as models, start_product(settings=models | SETTINGS, workers=()) as product:
        with product.client() as client:
            collection = new_collection(client, NAME)
        with in_process_services(product.environment) as services:
            functions = FunctionClient(services, product.key, collection)
            functions.upload("found.txt", corpus.text(corpus.sections(40, seed=3)))
            functions.ingest(functions.receive_upload())
            found = asyncio.run(DoorMeter(services, composed(), product.key, collection).rounds())
    _report(report, found)


class DoorMeter:
    """Asks the same kind of question by every way in turn."""

    def __init__(self, services: Services, app: FastAPI, key: str, collection: str) -> None:
        s = services
        self._limits = s.search_limits
        self._ports = SearchPorts(
            *(s.grants, s.usage, s.cache, s.vectors, s.embedder, s.reranker, s.generator, s.metrics, s.clock)
        )
        self._app = app
        self._key = key
        self._collection = UUID(collection)
        self._doors = doors(collection)

    async def rounds(self) -> Found:
        """The times of all rounds, after some that are not counted."""
        caller = await authorize(self._key, Scope.read)
        ways: list[str | Door] = [*USE_CASES, *self._doors]
        known, *questions = corpus.questions(1 + WARM_UP + ROUNDS["uncached"])
        found: dict[str, dict[str, Times]] = {}
        for kind in ("uncached", "cached"):
            times: dict[str, Times] = {}
            for number in range(WARM_UP + ROUNDS[kind]):
                if number == WARM_UP:
                    times = {}
                for place in range(len(ways)):
                    turn = (number + place) % len(ways)
                    asked = known if kind == "cached" else questions[number].replace("report", f"report {turn} of")
                    await self._time(caller, ways[turn], asked, times)
            found[kind] = times
        return found

    async def _time(self, caller: Principal, way: str | Door, question: str, times: dict[str, Times]) -> None:
        if isinstance(way, Door):
            await self._ask(way, question, times.setdefault(way.name, Times()))
        else:
            self._use_case(caller, question, USE_CASES[way], times.setdefault(way, Times()))

    def _use_case(self, caller: Principal, question: str, config: Mapping[str, Any], times: Times) -> None:
        request = SearchInput.model_validate(search_body(str(self._collection), question, **config))
        later: list[Callable[[], None]] = []
        started = _now()
        search(caller, request, self._ports, limits=self._limits, later=later.append)
        times.add(started, _now())
        for work in later:
            work()

    async def _ask(self, door: Door, question: str, times: Times) -> None:
        path, body = door.ask(question)
        sent = json.dumps(body).encode()
        answer = Answer()
        started = _now()
        await self._app(self._scope(path, body, len(sent)), _once(sent).__anext__, answer.send)
        times.add(started, answer.ended)
        if answer.status != 200:
            raise RuntimeError(f"{door.name} answered {answer.status}: {answer.body!r}")

    def _scope(self, path: str, body: Mapping[str, Any], length: int) -> dict[str, Any]:
        headers = {
            "host": "modulo",
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "content-length": str(length),
            "accept": MCP_TYPES if path == "/mcp" else "application/json",
            **modern_headers(body),
        }
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("modulo", 80),
        }


class Answer:
    """Takes a response; it has ended with its last byte, behind which a server goes on working."""

    def __init__(self) -> None:
        self.status, self.body = 0, b""
        self.ended = (0.0, 0.0)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            self.ended = _now()


async def _once(body: bytes) -> Any:
    """What a server receives: the whole body, and then nothing until the client leaves."""
    yield {"type": "http.request", "body": body, "more_body": False}
    await asyncio.Event().wait()


def _now() -> tuple[float, float]:
    return perf_counter(), process_time()


def _report(report: Report, found: Found) -> None:
    rows = [row for kind, times in found.items() for row in _rows(report, kind, times)]
    columns = (
        "search",
        "door",
        "p50 ms",
        "ms more than the use case",
        "ms more than /api",
        "times /api",
        "its processor ms",
    )
    report.table("Each door in process; differences are medians over rounds", columns, rows)
    report.note(
        f"Load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores. The embedder hashes words, there is no "
        "reranker, and answers are extracts, so that models take next to no time. A door's time ends with the last "
        "byte; the use case runs on the measuring thread itself."
    )


def _rows(report: Report, kind: str, times: Mapping[str, Times]) -> Iterator[tuple[str | float, ...]]:
    first: dict[str, str] = {}
    for door in doors(""):
        own = first.setdefault(door.use_case, door.name)
        mine, api, use_case = times[door.name], times[own], times[door.use_case]
        more, beyond = (_median_difference(mine.clock, other.clock) for other in (use_case, api))
        ratio = percentile(mine.clock, 0.5) / percentile(api.clock, 0.5)
        yield (
            *(kind, door.name, percentile(mine.clock, 0.5), more, beyond, ratio),
            _median_difference(mine.processor, use_case.processor),
        )
        key = f"doors.{kind}.{door.name}"
        if door.name == own:
            report.figure(f"{key}.over_use_case", more, "ms", "time")
        else:
            report.figure(f"{key}.over_api", beyond, "ms", "time", target=("<", MAX_MILLISECONDS))
            report.figure(f"{key}.ratio", ratio, "of /api", "ratio")


def _median_difference(mine: list[float], others: list[float]) -> float:
    return percentile([one - other for one, other in zip(mine, others, strict=True)], 0.5)


if __name__ == "__main__":
    run_question(measure)
