"""Function environments that can be made to crash in the middle of their work, as they may on a cloud."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from benchmarks.machine import descendants, peak_bytes
from modulo.cli.preload import preload
from modulo.domain.operations.messages import Delivery
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from modulo.services import services

METADATA_PORTS = (
    "collections",
    "deletions",
    "files",
    "fetching",
    "grants",
    "ingestion",
    "parts",
    "purging",
    "sweeping",
)
PORTS = (*METADATA_PORTS, "blobs", "vectors", "embedder", "ingests", "purges", "cache")
"""The ports whose calls are counted."""
MEAN_CALLS, MEAN_SECONDS = 5.0, 0.05
"""When a run crashes, on average. Many runs are short, because their message was handled before."""
preload()  # environments are forked from a process that has imported this module, so that they start at once
_contexts = get_context("forkserver")
_contexts.set_forkserver_preload(["benchmarks.crash_injection"])


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """When a run crashes: before the port call after this many, or after this many seconds."""

    calls: int | None
    seconds: float | None

    @classmethod
    def draw(cls, rng: random.Random) -> "CrashPoint":
        """A random crash point: half of them between two port calls, half at any moment."""
        if rng.random() < 0.5:
            return cls(int(rng.expovariate(1 / MEAN_CALLS)), None)
        return cls(None, rng.expovariate(1 / MEAN_SECONDS))


class Environment:
    """A process that handles one message after the other until it crashes."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._pipe, theirs = _contexts.Pipe()
        self._process: ForkServerProcess = _contexts.Process(target=_serve, args=(dict(variables), theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._pid = self._process.pid or 0

    def handle(self, name: str, delivery: Delivery, crash: CrashPoint | None) -> bool | None:
        """Run a function with a message; whether it succeeded, or None if the environment crashed."""
        self._pipe.send((name, record_of(delivery), crash))
        try:
            return bool(self._pipe.recv())
        except EOFError:
            self._process.join()
            return None

    def peak_bytes(self) -> int:
        """Sum of the peak memory of the process and of its descendants."""
        found = 0
        with suppress(OSError, LookupError):  # a process ended meanwhile
            for pid in (self._pid, *descendants(self._pid)):
                found += peak_bytes(pid)
        return found

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _serve(variables: Mapping[str, str], pipe: Connection) -> None:
    os.environ.clear()
    os.environ.update(variables)
    countdown = _CrashCountdown()
    for name in PORTS:
        setattr(services(), name, _CrashingPort(getattr(services(), name), countdown.count_call))
    while True:
        name, record, crash = pipe.recv()
        with countdown.armed(crash):
            failed = function(name).handler({"Records": [record]}, None)["batchItemFailures"]
        pipe.send(not failed)


class _CrashCountdown:
    """Counts the port calls of one run and crashes the process at its crash point."""

    def __init__(self) -> None:
        self._left: int | None = None

    @contextmanager
    def armed(self, crash: CrashPoint | None) -> Iterator[None]:
        """Apply the crash point to one run."""
        self._left = crash.calls if crash else None
        with _crash_after(crash.seconds) if crash and crash.seconds is not None else nullcontext():
            yield
        self._left = None

    def count_call(self) -> None:
        """Called before each port call."""
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                _crash()


class _CrashingPort:
    """A port that runs `before` ahead of each of its calls."""

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
def _crash_after(seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, _crash)
    timer.start()
    yield
    timer.cancel()


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
