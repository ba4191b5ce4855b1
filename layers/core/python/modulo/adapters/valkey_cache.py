"""Cached values in Valkey or Redis; whatever goes wrong there, a request only loses time once."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.retry import Retry

from modulo.domain.errors import Unavailable
from modulo.domain.transfer import CacheEntry

PAUSE_SECONDS = 5.0
SCAN_COUNT = 1_000
_log = logging.getLogger(__name__)


class ValkeyCache:
    """A cache behind a URL; after a failure it is left alone for `PAUSE_SECONDS` and counts as empty.

    Keys go one to a command inside a pipeline, so that a clustered server takes them too.
    """

    def __init__(self, url: str, timeout: float = 0.5, *, clock: Callable[[], float] = time.monotonic) -> None:
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
                pipe.execute()

    def delete(self, prefix: str) -> int:
        """Forget every key that begins with `prefix`; the number forgotten, as far as it got."""
        gone = 0
        if self._breaker.closed():
            with self._breaker.watching():
                for keys in self._scan(prefix):
                    with self._redis.pipeline(transaction=False) as pipe:
                        for key in keys:
                            pipe.unlink(key)
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

    def _scan(self, prefix: str) -> Iterator[list[Any]]:
        cursor = 0
        while True:
            cursor, keys = self._redis.scan(cursor, match=_literal(prefix) + b"*", count=SCAN_COUNT)
            if keys:
                yield keys
            if cursor == 0:
                return


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


def _literal(prefix: str) -> bytes:
    """A pattern that matches the prefix and nothing else."""
    escaped = "".join(f"\\{c}" if c in "*?[]\\^-" else c for c in prefix)
    return _encoded(escaped)
