"""Heartbeats of workers: which event functions a worker runs, and when each was last seen at work.

They are kept in the cache: writing them to Postgres would keep a database awake that is to sleep. After a restart of
the cache they are missing until the next ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from modulo.domain.model import FrozenModel
from modulo.domain.search.cache_entry import CacheEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modulo.ports.cache import Cache

HEARTBEAT_SECONDS: Final = 10
MAX_SILENCE_SECONDS: Final = 45
"""A worker that was not seen for so long counts as down."""


class WorkerStatus(FrozenModel):
    """Whether a worker of this event function was seen at work lately, and how long ago."""

    function: str
    status: Literal["ok", "down"]
    seen_seconds_ago: float | None


def record_heartbeat(functions: Iterable[str], *, cache: Cache, now: datetime) -> None:
    """Record that a worker runs these event functions now."""
    seen = now.isoformat().encode()
    cache.put([CacheEntry(_key(function), seen, MAX_SILENCE_SECONDS) for function in sorted(functions)])


def worker_statuses(functions: Sequence[str], *, cache: Cache, now: datetime) -> tuple[WorkerStatus, ...]:
    """The status of each event function's workers."""
    return tuple(
        _status(function, seen, now)
        for function, seen in zip(functions, cache.get([_key(function) for function in functions]), strict=True)
    )


def _status(function: str, seen: bytes | None, now: datetime) -> WorkerStatus:
    try:
        age = now - datetime.fromisoformat((seen or b"").decode())
    except (ValueError, TypeError):  # missing, or not written by a worker
        return WorkerStatus(function=function, status="down", seen_seconds_ago=None)
    late = age > timedelta(seconds=MAX_SILENCE_SECONDS)
    seconds = max(0.0, round(age.total_seconds(), 1))  # clocks differ
    return WorkerStatus(function=function, status="down" if late else "ok", seen_seconds_ago=seconds)


def _key(function: str) -> str:
    return f"worker:{function}"
