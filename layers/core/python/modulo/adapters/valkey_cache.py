"""The cache in Valkey or Redis, behind a circuit breaker: an outage costs one request its timeout, and no errors."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from modulo.domain.errors import Unavailable
from modulo.domain.host import host_of

if TYPE_CHECKING:
    from modulo.domain.search.cache_entry import CacheEntry
    from modulo.ports.metrics import Metrics
    from modulo.ports.secrets import Secret

Answer = TypeVar("Answer")
PAUSE_SECONDS = 5.0
DELETE_BATCH = 1_000
_KEY_PREFIX, _GROUP_PREFIX = b"key:", b"group:"
"""Of the members of a group, which are keys of entries and names of groups."""
_log = logging.getLogger(__name__)


class ValkeyCache:
    """A cache given by its URL, or by the secret that holds it, which is read when it is first needed.

    After a failure the cache counts as empty for `PAUSE_SECONDS` and is not called.

    Every command has a single key, inside a pipeline, so that a cluster accepts them, too. A group is a sorted set: its
    members are keys of entries and names of nested groups, scored by the time they expire. Expired members are removed
    on each write to the group, and a deletion touches no keys but those of its group.
    """

    def __init__(
        self,
        url: str | Secret,
        timeout: float = 0.5,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._timeout = timeout
        self._lock = Lock()
        self._server: tuple[str, Redis] | None = None
        """The URL in use, and the connections to it."""
        if isinstance(url, str):
            self._server = (url, self._connections(url))
        self._breaker = _CircuitBreaker(self._host, clock, metrics)
        self._wall_clock = wall_clock

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of the keys, in one round trip; all None if the cache fails."""
        found: list[bytes | None] = [None] * len(keys)
        if keys and self._breaker.is_closed():
            with self._breaker.guarded():
                values = self._piped(lambda pipe: [pipe.get(_encoded(key)) for key in keys])
                found = [value if isinstance(value, bytes) else None for value in values]
        return found

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Store the entries, each for its `ttl` in seconds, in one round trip."""
        lasting = [entry for entry in entries if entry.ttl > 0]
        if lasting and self._breaker.is_closed():
            with self._breaker.guarded():
                self._piped(lambda pipe: self._store(pipe, lasting))

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
                    keys = [member.removeprefix(_KEY_PREFIX) for member in members if member.startswith(_KEY_PREFIX)]
                    deleted += sum(self._unlinked(keys))
        return deleted

    def ping(self) -> None:
        """Ping the server, even while the cache is paused.

        Raises:
            Unavailable: the server does not answer.
        """
        try:
            self._asked(lambda server: server.ping())
        except (RedisError, OSError) as error:
            raise Unavailable("The cache does not answer: try again shortly.", dependency="valkey") from error
        self._breaker.reset()

    def close(self) -> None:
        """Close the connections; the next call opens others."""
        if self._server is not None:
            self._server[1].close()

    def _host(self) -> str:
        return host_of(self._server[0] if self._server else "")

    def _connections(self, url: str) -> Redis:
        # One retry, at once, and only for a broken connection: the pool may hold one from before a restart of the
        # server. A timeout is never retried.
        return Redis.from_url(
            url,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
            protocol=2,
            driver_info=None,
        )

    def _current(self) -> tuple[str, Redis]:
        """The URL as it is now, and the connections to it; those to an earlier one end with who still uses them.

        Raises:
            Unavailable: the secret cannot be read, or holds no URL.
        """
        url = self._url if isinstance(self._url, str) else self._url.value()
        with self._lock:
            if self._server is None or self._server[0] != url:
                try:
                    self._server = (url, self._connections(url))
                except ValueError:  # which may quote the secret
                    raise Unavailable("The secret of the cache holds no URL of one.", dependency="valkey") from None
            return self._server

    def _asked(self, ask: Callable[[Redis], Answer]) -> Answer:
        """Ask the server; once more where it refuses a secret that has changed since it was read."""
        url, server = self._current()
        try:
            return ask(server)
        except AuthenticationError:
            if isinstance(self._url, str) or self._url.renewed(url) is None:
                raise
            return ask(self._current()[1])

    def _piped(self, write: Callable[[Pipeline], object]) -> list[Any]:
        """The results of the commands that `write` puts into a pipeline, in one round trip."""

        def ask(server: Redis) -> list[Any]:
            with server.pipeline(transaction=False) as pipe:
                write(pipe)
                results: list[Any] = pipe.execute()
                return results

        return self._asked(ask)

    def _store(self, pipe: Pipeline, entries: Sequence[CacheEntry]) -> None:
        for entry in entries:
            pipe.set(_encoded(entry.key), entry.value, ex=entry.ttl)
        self._add_to_groups(pipe, entries)

    def _unlinked(self, keys: Sequence[bytes]) -> list[int]:
        return self._piped(lambda pipe: [pipe.unlink(key) for key in keys])

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
        popped: Any = self._asked(lambda server: server.zpopmin(group, DELETE_BATCH))
        return [member for member, _ in popped]


class _CircuitBreaker:
    """Keeps calls away from a cache that failed; after the pause a single call tries it."""

    def __init__(self, address: Callable[[], str], clock: Callable[[], float], metrics: Metrics | None) -> None:
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
                *(self._address(), type(error).__name__, PAUSE_SECONDS),
            )
        else:
            self.reset()

    def reset(self) -> None:
        """Close the breaker: the cache answers."""
        if self._open_until is not None:
            with self._lock:
                self._open_until = None
            _log.info("the cache at %s answers again", self._address())


def _encoded(key: str) -> bytes:
    """The key as bytes, even if it has lone surrogates."""
    return key.encode("utf-8", "surrogatepass")
