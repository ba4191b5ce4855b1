"""Check whether the service can work, and how quickly each dependency answers."""

from __future__ import annotations

import logging
from concurrent.futures import TimeoutError as TimedOut
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from modulo.domain.errors import ModuloError
from modulo.domain.model import FrozenModel
from modulo.ports.context_threads import ContextThreads
from modulo.usecases.worker_heartbeats import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)


class Dependency(FrozenModel):
    """One dependency and how it answered."""

    name: str
    status: Literal["ok", "down"]
    latency_ms: float


class Answers(FrozenModel):
    """What writes answers: `extractive`, or a kind of provider with its model."""

    generator: str
    model: str | None = None


class Health(FrozenModel):
    """Whether the service is up; only one who shows a credential learns more."""

    status: Literal["ok", "down"]
    version: str
    dependencies: tuple[Dependency, ...] | None = None
    workers: tuple[WorkerStatus, ...] | None = Field(
        default=None, description="of the event functions in `EXPECTED_WORKERS`"
    )
    answers: Answers | None = Field(default=None, description="what writes answers; nothing was asked of it")


def health(
    pings: Mapping[str, Callable[[], None]],
    *,
    version: str,
    timeout: float,
    workers: Callable[[], tuple[WorkerStatus, ...]] = tuple,
    answers: Answers | None = None,
) -> Health:
    """Ping every dependency at the same time; one that takes more than `timeout` seconds counts as down.

    So does the service where an expected worker was not seen lately.
    """
    pool = ContextThreads(max_workers=len(pings))
    started = perf_counter()
    asked = {name: pool.submit(_asked, name, ping) for name, ping in pings.items()}
    dependencies = []
    for name, answer in asked.items():
        try:
            up, seconds = answer.result(timeout=max(0.0, timeout - (perf_counter() - started)))
        except TimedOut:
            up, seconds = False, timeout
        dependencies.append(Dependency(name=name, status="ok" if up else "down", latency_ms=round(seconds * 1e3, 2)))
    pool.shutdown(wait=False, cancel_futures=True)
    seen = workers()
    down = "down" in {dependency.status for dependency in dependencies} | {worker.status for worker in seen}
    return Health(
        status="down" if down else "ok",
        version=version,
        dependencies=tuple(dependencies),
        workers=seen or None,
        answers=answers,
    )


def _asked(name: str, ping: Callable[[], None]) -> tuple[bool, float]:
    started = perf_counter()
    try:
        ping()
    except ModuloError as error:
        log.warning("health check: %s is down: %s", name, error.detail)
        return False, perf_counter() - started
    return True, perf_counter() - started
