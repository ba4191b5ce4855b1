"""The cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.search.cache_entry import CacheEntry


class Cache(Protocol):
    """Values that may disappear at any time; a cache that fails behaves like an empty one."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under the keys, in one round trip."""
        ...

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Store the entries, each for its time to live, in one round trip."""
        ...

    def delete(self, group: str) -> int:
        """Delete every entry of the group; the number deleted."""
        ...

    def ping(self) -> None:
        """Check that the cache answers; unlike the other methods, raises `Unavailable`."""
        ...
