"""Probes liveness from a process of its own, so that the load generator's interpreter lock delays no probe."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

INTERVAL_SECONDS = 0.1


@dataclass(slots=True)
class Probes:
    """When each probe began (`time.monotonic`, the same in all processes) and how many seconds its answer took."""

    found: list[tuple[float, float]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> list[float]:
        """Seconds of the probes that began in this time; infinite where none was answered with 200."""
        return [seconds for at, seconds in self.found if begin <= at < end]


@contextmanager
def liveness_probes(url: str) -> Iterator[Probes]:
    """Probe a server ten times a second, each time on a new connection; the probes are there after the block."""
    context = multiprocessing.get_context("spawn")
    stop, (receiver, sender), probes = context.Event(), context.Pipe(duplex=False), Probes()
    process = context.Process(target=_probe, args=(url, stop, sender), daemon=True)
    process.start()
    sender.close()
    try:
        yield probes
    finally:
        stop.set()
        probes.found += receiver.recv() if receiver.poll(60) else []
        process.join(10)


def _probe(url: str, stop: Event, sender: Connection) -> None:
    found: list[tuple[float, float]] = []
    address = urlsplit(url)
    while not stop.wait(INTERVAL_SECONDS):
        began = time.monotonic()
        connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
        try:
            connection.request("GET", "/api/health?probe=live")
            answered = connection.getresponse().status == 200
        except (OSError, HTTPException):
            answered = False
        finally:
            connection.close()
        found.append((began, time.monotonic() - began if answered else float("inf")))
    sender.send(found)
