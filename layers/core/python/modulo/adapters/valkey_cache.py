"""The cache in Valkey or Redis, behind a circuit breaker: an outage costs one request its timeout, and no errors."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.retry import Retry

from modulo.domain.errors import Unavailable
from modulo.domain.host import host_of

if TYPE_CHECKING:
    from modulo.domain.cache_entry import CacheEntry
    from modulo.ports.metrics import Metrics

PAUSE_SECONDS = 5.0
DELETE_BATCH = 1_000
_KEY_PREFIX, _GROUP_PREFIX = b"key:", b"group:"
"""Of the members of a group, which are keys of entries and names of groups."""
_log = logging.getLogger(__name__)


class ValkeyCache:
    """A cache given by its URL; after a failure it counts as empty for `PAUSE_SECONDS` and is not called.

    Every command has a single key, inside a pipeline, so that a cluster accepts them, too. A group is a sorted set: its
    members are keys of entries and names of nested groups, scored by the time they expire. Expired members are removed
    on each write to the group, and a deletion touches no keys but those of its group.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 0.5,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        # One retry, at once, and only for a broken connection: the pool may hold one from before a restart of the
        # server. A timeout is never retried.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
            protocol=2,
            driver_info=None,
        )
        self._breaker = _CircuitBreaker(host_of(url), clock, metrics)
        self._wall_clock = wall_clock

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of the keys, in one round trip; all None if the cache fails."""
        found: list[bytes | None] = [None] * len(keys)
        if keys and self._breaker.is_closed():
            with self._breaker.guarded(), self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.get(_encoded(key))
                values = pipe.execute()
                found = [value if isinstance(value, bytes) else None for value in values]
        return found

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Store the entries, each for its `ttl` in seconds, in one round trip."""
        lasting = [entry for entry in entries if entry.ttl > 0]
        if lasting and self._breaker.is_closed():
            with self._breaker.guarded(), self._redis.pipeline(transaction=False) as pipe:
                for entry in lasting:
                    pipe.set(_encoded(entry.key), entry.value, ex=entry.ttl)
                self._add_to_groups(pipe, lasting)
                pipe.execute()

    def delete(self, group: str) -> int:
        """Delete every entry of the group and of groups nested in it; the number deleted before any failure."""
        deleted = 0
        if self._breaker.is_closed():
            with self._breaker.guarded():
                groups = [_GROUP_PREFIX + _encoded(group)]
                while groups:
                    members = self._pop_members(groups[-1])
                    if not members:
                        groups.pop()
                    groups += [member for member in members if member.startswith(_GROUP_PREFIX)]
                    with self._redis.pipeline(transaction=False) as pipe:
                        for key in (member for member in members if member.startswith(_KEY_PREFIX)):
                            pipe.unlink(key.removeprefix(_KEY_PREFIX))
                        deleted += sum(pipe.execute())
        return deleted

    def ping(self) -> None:
        """Ping the server, even while the cache is paused.

        Raises:
            Unavailable: the server does not answer.
        """
        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            raise Unavailable("The cache does not answer: try again shortly.", dependency="valkey") from error
        self._breaker.reset()

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        self._redis.close()

    def _add_to_groups(self, pipe: Pipeline, entries: Sequence[CacheEntry]) -> None:
        """Add the keys of the entries to their groups, and each group to the one around it."""
        now = self._wall_clock()
        expiries: dict[bytes, dict[bytes, float]] = {}
        for entry in entries:
            for path in (entry.groups, *((group,) for group in entry.other_groups)):
                member = _KEY_PREFIX + _encoded(entry.key)
                for group in reversed(path):
                    members = expiries.setdefault(_GROUP_PREFIX + _encoded(group), {})
                    members[member] = max(members.get(member, 0), now + entry.ttl)
                    member = _GROUP_PREFIX + _encoded(group)
        for name, members in expiries.items():
            pipe.zremrangebyscore(name, "-inf", now)
            pipe.zadd(name, members, gt=True)
            longest = math.ceil(max(members.values()) - now)
            pipe.expire(name, longest, nx=True)
            pipe.expire(name, longest, gt=True)

    def _pop_members(self, group: bytes) -> list[bytes]:
        """Remove and return up to `DELETE_BATCH` members of a group."""
        popped: Any = self._redis.zpopmin(group, DELETE_BATCH)
        return [member for member, _ in popped]


class _CircuitBreaker:
    """Keeps calls away from a cache that failed; after the pause a single call tries it."""

    def __init__(self, address: str, clock: Callable[[], float], metrics: Metrics | None) -> None:
        self._address = address
        self._metrics = metrics
        self._clock = clock
        self._lock = Lock()
        self._open_until: float | None = None

    def is_closed(self) -> bool:
        """Whether to call the cache now."""
        if self._open_until is None:
            return True
        with self._lock:
            now = self._clock()
            if self._open_until is not None and now < self._open_until:
                return False
            self._open_until = now + PAUSE_SECONDS
            return True

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Suppress any failure inside the block and open the breaker: a cache must never fail a request."""
        try:
            yield
        except Exception as error:
            with self._lock:
                self._open_until = self._clock() + PAUSE_SECONDS
            if self._metrics is not None:
                self._metrics.count("rag_dependency_failures_total", dependency="valkey", kind="unavailable")
            _log.warning(
                "the cache at %s failed (%s); requests go on without it for %.0f s",
                *(self._address, type(error).__name__, PAUSE_SECONDS),
            )
        else:
            self.reset()

    def reset(self) -> None:
        """Close the breaker: the cache answers."""
        if self._open_until is not None:
            with self._lock:
                self._open_until = None
            _log.info("the cache at %s answers again", self._address)


def _encoded(key: str) -> bytes:
    """The key as bytes, even if it has lone surrogates."""
    return key.encode("utf-8", "surrogatepass")
