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
from benchmarks.first_events import MCP_TYPES
from benchmarks.hash_embedder import hash_embedder
from benchmarks.product import in_process_services, new_collection, start_product
from benchmarks.report import Report, percentile, run_question
from benchmarks.search_clients import FunctionClient, search_body
from modulo.cli.serve import composed
from modulo.domain.identity import Principal, Scope
from modulo.domain.search import SearchInput
from modulo.runtime.auth import authorize
from modulo.services import Services
from modulo.usecases.search.ports import SearchPorts
from modulo.usecases.search.search import search

ROUNDS: Final = {"cached": 200, "uncached": 100}
"""In each round every door and both use cases are asked once, so that all of them meet the same load."""
WARM_UP: Final = 5
SETTINGS: Final = {"API_KEY_CACHE_SECONDS": "3600", "LOG_LEVEL": "WARNING"}
"""Keys are looked up once; log lines would be printed among the results."""
MAX_MILLISECONDS: Final = 3
PASSAGES: Final = {"retrieve_only": True}
MS: Final = 1e3

Ask = Callable[[str], tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint: its path and body for a question; and the use case that it is compared with."""

    name: str
    use_case: str
    ask: Ask


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
            collection = new_collection(client, "doors")
        with in_process_services(product.environment) as services:
            functions = FunctionClient(services, product.key, collection)
            functions.upload("found.txt", corpus.text(corpus.sections(40, seed=3)))
            functions.ingest(functions.receive_upload())
            found = asyncio.run(DoorMeter(services, composed(), product.key, collection).rounds())
    _report(report, found)


def doors(collection: str) -> list[Door]:
    """Those that are measured, the first of which the others are compared with."""

    def search_by_api(config: Mapping[str, Any]) -> Ask:
        return lambda question: ("/api/search", search_body(collection, question, **config))

    def call_tool(name: str, argument: str) -> Ask:
        def ask(question: str) -> tuple[str, Mapping[str, Any]]:
            params = {"name": name, "arguments": {argument: question, "collection": collection}}
            return "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

        return ask

    def complete(question: str) -> tuple[str, Mapping[str, Any]]:
        messages = [{"role": "user", "content": question}]
        return "/v1/chat/completions", {"model": collection, "messages": messages}

    def respond(question: str) -> tuple[str, Mapping[str, Any]]:
        return "/v1/responses", {"model": collection, "input": question, "store": False}

    def search_store(question: str) -> tuple[str, Mapping[str, Any]]:
        return f"/v1/vector_stores/{collection}/search", {"query": question}

    return [
        Door("/api/search", "answer", search_by_api({})),
        Door("/v1/chat/completions", "answer", complete),
        Door("/v1/responses", "answer", respond),
        Door("/mcp, rag_search", "answer", call_tool("rag_search", "question")),
        Door("/api/search, passages", "passages", search_by_api(PASSAGES)),
        Door("/v1/vector_stores/{id}/search", "passages", search_store),
        Door("/mcp, search", "passages", call_tool("search", "query")),
    ]


USE_CASES: Final[Mapping[str, Mapping[str, Any]]] = {"answer": {}, "passages": PASSAGES}


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
        questions = iter(corpus.questions(1 + (WARM_UP + ROUNDS["uncached"]) * (len(self._doors) + len(USE_CASES))))
        known = next(questions)
        kinds: dict[str, Callable[[], str]] = {"uncached": lambda: next(questions), "cached": lambda: known}
        found: dict[str, dict[str, Times]] = {}
        for kind, question in kinds.items():
            times: dict[str, Times] = {}
            for number in range(WARM_UP + ROUNDS[kind]):
                if number == WARM_UP:
                    times = {}
                for name, config in USE_CASES.items():
                    self._use_case(caller, question(), config, times.setdefault(name, Times()))
                for door in self._doors:
                    await self._ask(door, question(), times.setdefault(door.name, Times()))
            found[kind] = times
        return found

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
        await self._app(self._scope(path, len(sent)), _once(sent).__anext__, answer.send)
        times.add(started, answer.ended)
        if answer.status != 200:
            raise RuntimeError(f"{door.name} answered {answer.status}: {answer.body!r}")

    def _scope(self, path: str, length: int) -> dict[str, Any]:
        headers = {
            "host": "modulo",
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "content-length": str(length),
            "accept": MCP_TYPES if path == "/mcp" else "application/json",
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
