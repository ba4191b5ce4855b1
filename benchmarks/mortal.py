"""Environments as a cloud runs event functions in them, which die when told to, in the midst of their work."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from time import monotonic, perf_counter
from typing import Any

from benchmarks.machine import descendants, peak_bytes
from modulo.cli.warm import load
from modulo.domain.errors import Unavailable
from modulo.domain.transfer import Delivery
from modulo.ports import Queue
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import services

PORTS = ("metadata", "blobs", "vectors", "embedder", "ingests", "purges", "cache")
CALLS, SECONDS = 5.0, 0.05
"""When a run that is to die does so, on average: many are short, since what they are asked is done already."""
LOOK_SECONDS, PATIENCE_SECONDS = 0.5, 3_600.0
load()  # environments are forked from a process that has imported this module, and then start at once
_contexts = get_context("forkserver")
_contexts.set_forkserver_preload(["benchmarks.mortal"])


@dataclass(frozen=True, slots=True)
class Death:
    """When a run dies: before so many calls of ports, or after so many seconds."""

    calls: int | None
    seconds: float | None

    @classmethod
    def by(cls, chance: random.Random) -> "Death":
        """Some moment: half of them between two calls, where what was written is known, half anywhere."""
        if chance.random() < 0.5:
            return cls(int(chance.expovariate(1 / CALLS)), None)
        return cls(None, chance.expovariate(1 / SECONDS))


class Environment:
    """A process that handles one message after the other, until it dies."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._pipe, theirs = _contexts.Pipe()
        self._process: ForkServerProcess = _contexts.Process(target=_serve, args=(dict(variables), theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._pid = self._process.pid or 0

    def handle(self, name: str, delivery: Delivery, death: Death | None) -> bool | None:
        """Whether the message was handled; None where the environment died of it."""
        self._pipe.send((name, record_of(delivery), death))
        try:
            return bool(self._pipe.recv())
        except EOFError:
            self._process.join()
            return None

    def peak_bytes(self) -> int:
        """The most memory that it and each process it started ever held."""
        found = 0
        with suppress(OSError, LookupError):  # one of them ended meanwhile
            for pid in (self._pid, *descendants(self._pid)):
                found += peak_bytes(pid)
        return found

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(variables: Mapping[str, str], pipe: Connection) -> None:
    os.environ.clear()
    os.environ.update(variables)
    fate = _Fate()
    for name in PORTS:
        setattr(services(), name, _Mortal(getattr(services(), name), fate.call))
    while True:
        name, record, death = pipe.recv()
        with fate.sealed(death):
            failed = function(name).handler({"Records": [record]}, None)["batchItemFailures"]
        pipe.send(not failed)


class _Fate:
    """How many calls of ports are left, where a run is to die of one."""

    def __init__(self) -> None:
        self._left: int | None = None

    @contextmanager
    def sealed(self, death: Death | None) -> Iterator[None]:
        """For one run."""
        self._left = death.calls if death else None
        with _dying_after(death.seconds) if death and death.seconds is not None else nullcontext():
            yield
        self._left = None

    def call(self) -> None:
        """A port is about to be called."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                _die()


class _Mortal:
    """A port before each of whose calls a run may die."""

    def __init__(self, port: Any, before: Callable[[], None]) -> None:
        self._port = port
        self._before = before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def called(*given: Any, **named: Any) -> Any:
            self._before()
            return found(*given, **named)

        return called


@contextmanager
def _dying_after(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, _die)
    timer.start()
    yield
    timer.cancel()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(slots=True)
class Ordeal:
    """How badly messages are delivered, and what happened."""

    killed: float
    doubled: float
    chance: random.Random
    deliveries: int = 0
    copies: int = 0
    runs: int = 0
    deaths: int = 0
    longest_seconds: float = 0
    peak_bytes: int = 0
    """Of an environment and the processes it started."""


@dataclass(slots=True)
class Deliverer:
    """Has environments handle the messages of the functions' queues: in any order, some twice, some fatally."""

    variables: Mapping[str, str]
    queues: Mapping[str, Queue]
    ordeal: Ordeal
    environments: int = 3
    limit_seconds: float | None = None
    """A run that takes longer dies, as a function does at its time limit."""
    backlog: int = 20
    """Out of so many messages the next one is drawn."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: list[tuple[str, Delivery]] = field(default_factory=list)
    _under_way: int = 0

    def until(self, done: Callable[[], bool], *, told: Callable[[], object]) -> None:
        """Deliver, and sweep now and then, until that is so.

        Raises:
            RuntimeError: it took too long; how things are is `told`.
        """
        give_up = monotonic() + PATIENCE_SECONDS
        stop = threading.Event()
        hands = [threading.Thread(target=self._hand, args=(stop,), daemon=True) for _ in range(self.environments)]
        hands.append(threading.Thread(target=self._fetch, args=(stop,), daemon=True))
        for hand in hands:
            hand.start()
        try:
            while not self._swept(done):
                time.sleep(LOOK_SECONDS)
                if monotonic() > give_up:
                    raise RuntimeError(f"stuck: {told()}")
                if not all(hand.is_alive() for hand in hands):
                    raise RuntimeError("a hand broke")
        finally:
            stop.set()
            for hand in hands:
                hand.join()

    def _swept(self, done: Callable[[], bool]) -> bool:
        function("sweep").handler({}, None)
        return done()

    @property
    def idle(self) -> bool:
        """Whether nothing waits here and nothing is under way."""
        with self._lock:
            return not self._waiting and not self._under_way

    def _fetch(self, stop: threading.Event) -> None:
        while not stop.is_set():
            found = [
                (name, delivery)
                for name, queue in self.queues.items()
                for delivery in (queue.receive(limit=10, wait_seconds=0) if len(self._waiting) < self.backlog else ())
            ]
            chance = self.ordeal.chance
            with self._lock:
                copies = [one for one in found if chance.random() < self.ordeal.doubled]
                self._waiting += found + copies
                self.ordeal.deliveries += len(found)
                self.ordeal.copies += len(copies)
            if not found:
                stop.wait(0.05)

    def _draw(self) -> tuple[str, Delivery, Death | None] | None:
        with self._lock:
            if not self._waiting:
                return None
            chance = self.ordeal.chance
            name, delivery = self._waiting.pop(chance.randrange(len(self._waiting)))
            self._under_way += 1
            if chance.random() < self.ordeal.killed:
                return name, delivery, Death.by(chance)
            return name, delivery, Death(None, self.limit_seconds) if self.limit_seconds else None

    def _hand(self, stop: threading.Event) -> None:
        environment = Environment(self.variables)
        while not stop.is_set():
            drawn = self._draw()
            if drawn is None:
                stop.wait(0.02)
                continue
            name, delivery, death = drawn
            started = perf_counter()
            handled = environment.handle(name, delivery, death)
            seconds, peak = perf_counter() - started, environment.peak_bytes()
            if handled:
                with suppress(Unavailable):  # its copy was handled before
                    self.queues[name].delete(delivery.receipt)
            if handled is None:
                environment.close()
                environment = Environment(self.variables)
            with self._lock:
                self._under_way -= 1
                self.ordeal.runs += 1
                self.ordeal.deaths += handled is None
                self.ordeal.longest_seconds = max(self.ordeal.longest_seconds, seconds)
                self.ordeal.peak_bytes = max(self.ordeal.peak_bytes, peak)
        environment.close()
