"""Chaos runs: messages are delivered out of order and more than once to environments that crash."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, perf_counter

from benchmarks.crash_injection import CrashPoint, Environment
from modulo.domain.errors import Unavailable
from modulo.domain.operations.messages import Delivery
from modulo.ports.queue import Queue
from modulo.runtime.worker import function

POLL_SECONDS, TIMEOUT_SECONDS = 0.5, 3_600.0


@dataclass(slots=True)
class ChaosRun:
    """Fault rates of a run (0 to 1), and what happened in it."""

    crash_rate: float
    duplicate_rate: float
    rng: random.Random
    deliveries: int = 0
    duplicates: int = 0
    runs: int = 0
    crashes: int = 0
    longest_seconds: float = 0
    peak_bytes: int = 0
    """Highest memory of an environment with its descendants."""


@dataclass(slots=True)
class ChaosDispatcher:
    """Takes messages from the functions' queues and has environments handle them with faults injected."""

    variables: Mapping[str, str]
    queues: Mapping[str, Queue]
    chaos: ChaosRun
    environments: int = 3
    limit_seconds: float | None = None
    """A longer run is killed, as a function is at its timeout."""
    backlog: int = 20
    """The next message is drawn at random from this many."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: list[tuple[str, Delivery]] = field(default_factory=list)
    _in_progress: int = 0

    def run_until(self, done: Callable[[], bool], *, describe: Callable[[], object]) -> None:
        """Deliver messages, with regular sweeps, until `done` returns true.

        Raises:
            RuntimeError: it took too long; the message contains what `describe` returns.
        """
        give_up = monotonic() + TIMEOUT_SECONDS
        stop = threading.Event()
        threads = [threading.Thread(target=self._consume, args=(stop,), daemon=True) for _ in range(self.environments)]
        threads.append(threading.Thread(target=self._receive, args=(stop,), daemon=True))
        for thread in threads:
            thread.start()
        try:
            while not self._sweep_and_check(done):
                time.sleep(POLL_SECONDS)
                if monotonic() > give_up:
                    raise RuntimeError(f"not done after {TIMEOUT_SECONDS:.0f} s: {describe()}")
                if not all(thread.is_alive() for thread in threads):
                    raise RuntimeError("a dispatcher thread failed")
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _sweep_and_check(self, done: Callable[[], bool]) -> bool:
        function("sweep").handler({}, None)
        return done()

    @property
    def idle(self) -> bool:
        """Whether no message is waiting here or in progress."""
        with self._lock:
            return not self._waiting and not self._in_progress

    def _receive(self, stop: threading.Event) -> None:
        while not stop.is_set():
            found = [
                (name, delivery)
                for name, queue in self.queues.items()
                for delivery in (queue.receive(limit=10, wait_seconds=0) if len(self._waiting) < self.backlog else ())
            ]
            with self._lock:
                duplicates = [one for one in found if self.chaos.rng.random() < self.chaos.duplicate_rate]
                self._waiting += found + duplicates
                self.chaos.deliveries += len(found)
                self.chaos.duplicates += len(duplicates)
            if not found:
                stop.wait(0.05)

    def _draw(self) -> tuple[str, Delivery, CrashPoint | None] | None:
        with self._lock:
            if not self._waiting:
                return None
            rng = self.chaos.rng
            name, delivery = self._waiting.pop(rng.randrange(len(self._waiting)))
            self._in_progress += 1
            if rng.random() < self.chaos.crash_rate:
                return name, delivery, CrashPoint.draw(rng)
            return name, delivery, CrashPoint(None, self.limit_seconds) if self.limit_seconds else None

    def _consume(self, stop: threading.Event) -> None:
        environment = Environment(self.variables)
        while not stop.is_set():
            drawn = self._draw()
            if drawn is None:
                stop.wait(0.02)
                continue
            name, delivery, crash = drawn
            started = perf_counter()
            handled = environment.handle(name, delivery, crash)
            seconds, peak = perf_counter() - started, environment.peak_bytes()
            if handled:
                with suppress(Unavailable):  # its duplicate was handled before
                    self.queues[name].delete(delivery.receipt)
            if handled is None:
                environment.close()
                environment = Environment(self.variables)
            self._record(crashed=handled is None, seconds=seconds, peak=peak)
        environment.close()

    def _record(self, *, crashed: bool, seconds: float, peak: int) -> None:
        with self._lock:
            self._in_progress -= 1
            self.chaos.runs += 1
            self.chaos.crashes += crashed
            self.chaos.longest_seconds = max(self.chaos.longest_seconds, seconds)
            self.chaos.peak_bytes = max(self.chaos.peak_bytes, peak)
