"""Cached values in this process's memory: bounded, the least recently used forgotten first."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from modulo.domain.search.cache_entry import CacheEntry


class MemoryCache:
    """At most `max_entries` values; `clock` counts seconds and never goes back."""

    def __init__(self, max_entries: int = 10_000, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[str, tuple[bytes, float, tuple[str, ...]]] = OrderedDict()

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under the keys."""
        now = self._clock()
        with self._lock:
            return [self._get(key, now) for key in keys]

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Remember the entries, each for its time."""
        now = self._clock()
        with self._lock:
            for entry in entries:
                if entry.ttl > 0:
                    self._entries[entry.key] = (bytes(entry.value), now + entry.ttl, entry.groups + entry.other_groups)
                    self._entries.move_to_end(entry.key)
            while len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def delete(self, group: str) -> int:
        """Forget every entry of the group; the number forgotten."""
        now = self._clock()
        with self._lock:
            keys = [key for key, (_, _, groups) in self._entries.items() if group in groups]
            return sum(self._entries.pop(key)[1] > now for key in keys)

    def ping(self) -> None:
        """Memory always answers."""

    def _get(self, key: str, now: float) -> bytes | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, ends, _ = entry
        if ends <= now:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value
