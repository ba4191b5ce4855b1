"""Tell whether the service can work, and how quickly each part answers."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TimedOut
from time import perf_counter
from typing import Literal

from modulo.domain.errors import ModuloError
from modulo.domain.value import Value

log = logging.getLogger(__name__)


class Dependency(Value):
    """One part and how it answered."""

    name: str
    status: Literal["ok", "down"]
    latency_ms: float


class Health(Value):
    """Whether the service is up; `dependencies` is empty for a liveness probe."""

    status: Literal["ok", "down"]
    version: str
    dependencies: tuple[Dependency, ...] = ()


def health(pings: Mapping[str, Callable[[], None]], *, version: str, timeout: float) -> Health:
    """Ask every part at the same time; one that takes more than `timeout` seconds counts as down."""
    if not pings:
        return Health(status="ok", version=version)
    pool = ThreadPoolExecutor(max_workers=len(pings))
    started = perf_counter()
    asked = {name: pool.submit(_asked, ping) for name, ping in pings.items()}
    dependencies = []
    for name, answer in asked.items():
        try:
            up, seconds = answer.result(timeout=max(0.0, timeout - (perf_counter() - started)))
        except TimedOut:
            up, seconds = False, timeout
        dependencies.append(Dependency(name=name, status="ok" if up else "down", latency_ms=round(seconds * 1e3, 2)))
    pool.shutdown(wait=False, cancel_futures=True)
    down = any(dependency.status == "down" for dependency in dependencies)
    return Health(status="down" if down else "ok", version=version, dependencies=tuple(dependencies))


def _asked(ping: Callable[[], None]) -> tuple[bool, float]:
    started = perf_counter()
    try:
        ping()
    except ModuloError as error:
        log.warning("health: %s", error.detail)
        return False, perf_counter() - started
    return True, perf_counter() - started
