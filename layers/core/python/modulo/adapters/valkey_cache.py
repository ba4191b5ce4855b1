"""Cached values in Valkey or Redis; whatever goes wrong there, a request only loses time once."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.retry import Retry

from modulo.domain.errors import Unavailable
from modulo.domain.transfer import CacheEntry

PAUSE_SECONDS = 5.0
DELETED_AT_ONCE = 1_000
KEY, GROUP = b"key:", b"group:"
_log = logging.getLogger(__name__)


class ValkeyCache:
    """A cache behind a URL; after a failure it is left alone for `PAUSE_SECONDS` and counts as empty.

    Keys go one to a command inside a pipeline, so that a clustered server takes them too. A group is a sorted
    set of its members, the keys of entries and the names of groups within it, by the time at which they end: what
    ended is taken out whenever something is put in, and no deletion looks at other keys than its own.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 0.5,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        # One retry, at once and only on a connection that broke: the pool may hold one from before a
        # restart of the server. A timeout is never tried again.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
            protocol=2,
            driver_info=None,
        )
        self._breaker = _Breaker(clock)
        self._time = wall

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under the keys, in one round trip; all None where the cache fails."""
        found: list[bytes | None] = [None] * len(keys)
        if keys and self._breaker.closed():
            with self._breaker.watching(), self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.get(_encoded(key))
                values = pipe.execute()
                found = [value if isinstance(value, bytes) else None for value in values]
        return found

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Remember the entries, each for its time, in one round trip."""
        lasting = [entry for entry in entries if entry.ttl > 0]
        if lasting and self._breaker.closed():
            with self._breaker.watching(), self._redis.pipeline(transaction=False) as pipe:
                for entry in lasting:
                    pipe.set(_encoded(entry.key), entry.value, ex=entry.ttl)
                self._enter(pipe, lasting)
                pipe.execute()

    def delete(self, group: str) -> int:
        """Forget every entry of the group; the number forgotten, as far as it got."""
        gone = 0
        if self._breaker.closed():
            with self._breaker.watching():
                groups = [GROUP + _encoded(group)]
                while groups:
                    members = self._taken(groups[-1])
                    if not members:
                        groups.pop()
                    groups += [member for member in members if member.startswith(GROUP)]
                    with self._redis.pipeline(transaction=False) as pipe:
                        for key in (member for member in members if member.startswith(KEY)):
                            pipe.unlink(key.removeprefix(KEY))
                        gone += sum(pipe.execute())
        return gone

    def ping(self) -> None:
        """Ask the server, pause or not.

        Raises:
            Unavailable: it does not answer.
        """
        try:
            self._redis.ping()
        except (RedisError, OSError) as error:
            raise Unavailable("The cache does not answer: try again shortly.", dependency="valkey") from error
        self._breaker.worked()

    def close(self) -> None:
        """Close the connections; the next request opens others."""
        self._redis.close()

    def _enter(self, pipe: Pipeline, entries: Sequence[CacheEntry]) -> None:
        """Enter entries into their groups."""
        now = self._time()
        ends: dict[bytes, dict[bytes, float]] = {}
        for entry in entries:
            member = KEY + _encoded(entry.key)
            for group in reversed(entry.groups):
                members = ends.setdefault(GROUP + _encoded(group), {})
                members[member] = max(members.get(member, 0), now + entry.ttl)
                member = GROUP + _encoded(group)
        for name, members in ends.items():
            pipe.zremrangebyscore(name, "-inf", now)
            pipe.zadd(name, members, gt=True)
            longest = math.ceil(max(members.values()) - now)
            pipe.expire(name, longest, nx=True)
            pipe.expire(name, longest, gt=True)

    def _taken(self, group: bytes) -> list[bytes]:
        """Some members, taken out of their group."""
        popped: Any = self._redis.zpopmin(group, DELETED_AT_ONCE)
        return [member for member, _ in popped]


class _Breaker:
    """Keeps requests away from a cache that failed; when the pause is over, one of them tries it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until: float | None = None

    def closed(self) -> bool:
        """Whether to ask the cache now."""
        if self._until is None:
            return True
        with self._lock:
            now = self._clock()
            if self._until is not None and now < self._until:
                return False
            self._until = now + PAUSE_SECONDS
            return True

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Swallow and remember any failure inside the block: a cache must never break a request."""
        try:
            yield
        except Exception as error:
            with self._lock:
                self._until = self._clock() + PAUSE_SECONDS
            _log.warning("the cache failed and is left alone for %.0f s: %s", PAUSE_SECONDS, type(error).__name__)
        else:
            self.worked()

    def worked(self) -> None:
        """Remember that the cache answers."""
        if self._until is not None:
            with self._lock:
                self._until = None
            _log.info("the cache answers again")


def _encoded(key: str) -> bytes:
    """Any text, even with lone surrogates, as bytes."""
    return key.encode("utf-8", "surrogatepass")
