"""How many chunks were written to a collection since it was last flushed, and when it is to be flushed again."""

from threading import Lock

MAX_UNSEALED = 32
"""Chunks that may wait for a flush. Unsealed chunks are compared one by one: each takes 0.3 ms of a search."""


class UnsealedChunks:
    """Counts by collection; one process counts only what it wrote itself."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, int] = {}

    def is_due(self, collection: str, written: int | None) -> bool:
        """Count what was written; True, and none are left, where a flush is due. An unknown number is always due."""
        with self._lock:
            count = self._counts.get(collection, 0) + (MAX_UNSEALED if written is None else written)
            due = count >= MAX_UNSEALED
            self._counts[collection] = 0 if due else count
        return due
