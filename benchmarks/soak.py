"""Does the product keep its promises under mixed load while each dependency hangs, is slow and is killed once?"""

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from benchmarks.dependency_faults import hang, kill, slow
from benchmarks.liveness_probe import Probes, liveness_probes
from benchmarks.machine import proportional_bytes
from benchmarks.product import Product, new_collection, start_product
from benchmarks.report import Cell, Report, percentile, run_question
from modulo.cli.up import EVENT_FUNCTIONS

MINUTES = float(os.environ.get("SOAK_MINUTES", "30"))
DEPENDENCIES = ("postgres", "valkey", "milvus", "cloud", "models")
FAULT_SECONDS = 20.0
"""How long a dependency hangs, is slow or stays down."""
DEADLINE_SECONDS = 26.0
"""A request's deadline, plus one second to send the response."""
RECOVERY_SECONDS = 180.0
"""After the last fault, every accepted file must be ready or failed within this time."""
LIVENESS_MS = 100.0
TENANTS = ("acme", "globex", "initech")
MB = 1024**2
ACCEPTABLE = {200, 201, 202, 404, 429, 503}


@dataclass(slots=True)
class Phase:
    """What clients observed during a fault, or between two faults."""

    name: str
    began: float
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    recovered_after: float | None = None


@dataclass(slots=True)
class Tenant:
    """A tenant with an API key, a collection and its accepted files."""

    name: str
    key: str
    collection: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """Authentication headers."""
        return {"Authorization": f"Bearer {self.key}"}


class Soak:
    """Generates the load, injects the faults and records the observations."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.phases = [Phase("none", time.monotonic())]
        self.tenants = [Tenant(name, product.new_key(name)) for name in TENANTS]
        self.leaks: list[str] = []
        self.late: list[str] = []
        self.unexpected: Counter[str] = Counter()
        self.memory: list[int] = []
        self._stop = threading.Event()
        self._numbers = count(1)

    def run(self, seconds: float) -> None:
        """Run the load for this long and inject each fault once."""
        for tenant in self.tenants:
            with self._client(tenant) as client:
                tenant.collection = new_collection(client, "documents")
        work = [self._search] * 3 + [self._read] * 2 + [self._upload]
        threads = [
            threading.Thread(target=self._repeat, args=(one, seed), daemon=True) for seed, one in enumerate(work)
        ]
        for thread in threads:
            thread.start()
        faults = [(name, fault) for fault in (hang, slow, kill) for name in DEPENDENCIES]
        pause = max(10.0, (seconds - len(faults) * FAULT_SECONDS) / (len(faults) + 1))
        for name, fault in faults:
            time.sleep(pause)
            self._measure_memory()
            self._begin(f"{name} {fault.__name__}")
            with fault(self.product.stack, name):
                time.sleep(FAULT_SECONDS)
            self._await_recovery(self.phases[-1])
            self._begin("none")
        time.sleep(pause)
        self._measure_memory()
        self._stop.set()
        for thread in threads:
            thread.join(60)

    def _begin(self, phase: str) -> None:
        self.phases.append(Phase(phase, time.monotonic()))

    def unfinished(self) -> dict[str, str]:
        """Accepted files that are neither ready nor failed at the end of the recovery time, with their stages."""
        until = time.monotonic() + RECOVERY_SECONDS
        left: dict[str, str] = {}
        for tenant in self.tenants:
            with self._client(tenant) as client:
                for file in tenant.files:
                    path = f"/collections/{tenant.collection}/files/{file}"
                    while (stage := client.get(path).json()["stage"]) not in ("ready", "failed"):
                        if time.monotonic() > until:
                            left[file] = stage
                            break
                        time.sleep(0.5)
        return left

    def stages(self) -> Counter[str]:
        """Number of accepted files by final stage and problem."""
        found: Counter[str] = Counter()
        for tenant in self.tenants:
            with self._client(tenant) as client:
                for file in tenant.files:
                    answer = client.get(f"/collections/{tenant.collection}/files/{file}").json()
                    problem = (answer.get("problem") or {}).get("code")
                    found[f"{answer['stage']}: {problem}" if problem else answer["stage"]] += 1
        return found

    def _client(self, tenant: Tenant) -> httpx.Client:
        url = f"{self.product.url}/api"
        return httpx.Client(base_url=url, headers=tenant.headers, timeout=60, trust_env=False)

    def _repeat(self, work: Callable[[httpx.Client, Tenant, random.Random], None], seed: int) -> None:
        rng = random.Random(seed)
        clients = [self._client(tenant) for tenant in self.tenants]
        while not self._stop.is_set():
            number = rng.randrange(len(clients))
            work(clients[number], self.tenants[number], rng)
            self._stop.wait(0.2)

    def _send(self, client: httpx.Client, method: str, path: str, **more: Any) -> Any:
        """Send a request and record its status and duration; the response's JSON if it succeeded, else None."""
        phase, started = self.phases[-1], time.monotonic()
        try:
            answer = client.request(method, path, **more)
        except httpx.HTTPError as error:
            self.unexpected[f"{method} {type(error).__name__} during {phase.name}"] += 1
            return None
        seconds = time.monotonic() - started
        phase.statuses[answer.status_code] += 1
        phase.seconds.append(seconds)
        if seconds > DEADLINE_SECONDS:
            self.late.append(f"{method} {path} took {seconds:.1f} s during {phase.name}")
        if answer.status_code not in ACCEPTABLE:
            self.unexpected[f"{method} {path.split('/')[1]} {answer.status_code} during {phase.name}"] += 1
        return answer.json() if answer.is_success else None

    def _search(self, client: httpx.Client, tenant: Tenant, rng: random.Random) -> None:
        question = f"Which code opens vault {rng.randrange(1, 200)}?"
        body = {"question": question, "collection_id": tenant.collection}
        found = self._send(client, "POST", "/search", json=body)
        text = json.dumps(found or {})
        self.leaks += [f"{tenant.name} saw {name}" for name in TENANTS if name != tenant.name and name in text]

    def _read(self, client: httpx.Client, tenant: Tenant, rng: random.Random) -> None:
        other = rng.choice(self.tenants)
        found = self._send(client, "GET", f"/collections/{other.collection}/files")
        if other is not tenant and found is not None:
            self.leaks.append(f"{tenant.name} listed files of {other.name}")

    def _upload(self, client: httpx.Client, tenant: Tenant, rng: random.Random) -> None:
        number = next(self._numbers)
        text = f"Vault {number} of {tenant.name} opens with the code {rng.randrange(10_000):04}.\n\n" * 20
        content = {"file": (f"{tenant.name}-{number}.txt", text.encode())}
        receipt = self._send(client, "POST", f"/collections/{tenant.collection}/files", files=content)
        if receipt is not None:
            tenant.files.append(receipt["file_id"])
            self.phases[-1].accepted.add(receipt["file_id"])
        self._stop.wait(2)

    def _await_recovery(self, phase: Phase) -> None:
        """Wait until a search succeeds again, and record how long it took."""
        started = time.monotonic()
        tenant = self.tenants[0]
        with self._client(tenant) as client:
            while time.monotonic() - started < RECOVERY_SECONDS:
                body = {"question": "Which code opens vault 1?", "collection_id": tenant.collection}
                with suppress(httpx.HTTPError):
                    if client.post("/search", json=body).is_success:
                        phase.recovered_after = time.monotonic() - started
                        return
                time.sleep(0.25)

    def _measure_memory(self) -> None:
        found = self.product.processes()
        self.memory.append(sum(map(proportional_bytes, found["serve"] + found["worker"])))


def measure(report: Report) -> None:
    """Run the soak test and check its results."""
    with start_product(workers=EVENT_FUNCTIONS) as product:
        soak = Soak(product)
        with liveness_probes(product.url) as probes:
            soak.run(MINUTES * 60)
        unfinished = soak.unfinished()
        stages = soak.stages()
    columns = (
        *("fault", "requests", "answers", "p50 s", "slowest s", "slowest liveness ms", "recovered after s"),
        *("files accepted", "not ended"),
    )
    rows = list(_rows(soak.phases, probes, unfinished))
    report.table(f"A mixed load for {MINUTES:g} minutes, each fault for {FAULT_SECONDS:.0f} s", columns, rows)
    report.table("Final stages of the accepted files", ("stage", "files"), sorted(stages.items()))
    report.table("Unexpected responses and errors", ("what", "times"), sorted(soak.unexpected.items()))
    milliseconds = [seconds * 1e3 for _, seconds in probes.found]
    report.figure("soak.liveness.p999", percentile(milliseconds, 0.999), "ms", "time", target=("<", LIVENESS_MS))
    report.figure("soak.late", len(soak.late), "requests", "count", target=("==", 0))
    report.figure("soak.leaks", len(soak.leaks), "answers", "count", target=("==", 0))
    report.figure("soak.unfinished", len(unfinished), "files", "count", target=("==", 0))
    report.figure("soak.unexpected", sum(soak.unexpected.values()), "requests", "count")
    growth = soak.memory[-1] / soak.memory[1] - 1
    report.figure("soak.memory_growth", growth * 100, "%", "count", target=("<", 20))
    for line in (soak.late + soak.leaks + [f"{file} is {stage}" for file, stage in unfinished.items()])[:20]:
        report.note(line)


def _rows(phases: Sequence[Phase], probes: Probes, unfinished: Container[str]) -> Iterator[tuple[Cell, ...]]:
    for phase, end in zip(phases, [*(phase.began for phase in phases[1:]), float("inf")], strict=True):
        yield (
            phase.name,
            len(phase.seconds),
            " ".join(f"{status}: {number}" for status, number in sorted(phase.statuses.items())),
            percentile(phase.seconds, 0.5) if phase.seconds else 0.0,
            max(phase.seconds, default=0.0),
            max(probes.between(phase.began, end), default=0.0) * 1e3,
            phase.recovered_after,
            len(phase.accepted),
            sum(file in unfinished for file in phase.accepted),
        )


if __name__ == "__main__":
    run_question(measure)
