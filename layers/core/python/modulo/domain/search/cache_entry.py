"""Cache entries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A value to cache for `ttl` seconds; 0 caches nothing.

    `groups` are those with which it can be deleted earlier; each contains the next. It is also deleted with each of
    `other_groups`, which contain nothing of each other.
    """

    key: str
    value: bytes
    ttl: int
    groups: tuple[str, ...] = ()
    other_groups: tuple[str, ...] = ()
