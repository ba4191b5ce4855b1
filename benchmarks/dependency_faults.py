"""Faults of a dependency of the product: it hangs, is slow, or is killed, until the block ends."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from benchmarks.machine import descendants
from modulo.cli.stack import Stack

SLOW_STOPPED_SECONDS, SLOW_RUNNING_SECONDS = 0.4, 0.1
"""A slow dependency runs only a fifth of the time."""


@contextmanager
def hang(stack: Stack, name: str) -> Iterator[None]:
    """Stop all processes of a service; its connections stay open."""
    pids = _pids(stack, name)
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


@contextmanager
def slow(stack: Stack, name: str) -> Iterator[None]:
    """Let all processes of a service run for a fifth of the time."""
    pids, enough = _pids(stack, name), threading.Event()

    def alternate() -> None:
        while not enough.wait(SLOW_RUNNING_SECONDS):
            _signal(pids, signal.SIGSTOP)
            enough.wait(SLOW_STOPPED_SECONDS)
            _signal(pids, signal.SIGCONT)

    thread = threading.Thread(target=alternate, daemon=True)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join(10)


@contextmanager
def kill(stack: Stack, name: str) -> Iterator[None]:
    """Kill a service, and start it again at the end."""
    stack.kill(name)
    try:
        yield
    finally:
        stack.restart(name)


def _pids(stack: Stack, name: str) -> list[int]:
    return [each for pid in stack.pids(name) for each in (pid, *descendants(pid))]


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
