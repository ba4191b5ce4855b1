"""How many connections to Postgres are in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

if TYPE_CHECKING:
    from modulo.ports.metrics import Metrics


def count_in_use(pools: tuple[Engine, Engine], metrics: Metrics) -> tuple[Engine, Engine]:
    """The same pools; from now on the gauge `rag_active_connections` says how many connections work."""
    working: set[ConnectionPoolEntry] = set()

    def taken(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        working.add(record)
        metrics.adjust("rag_active_connections", 1)

    def returned(_connection: object, record: ConnectionPoolEntry) -> None:
        if record in working:  # or else it was refused before it could work
            working.remove(record)
            metrics.adjust("rag_active_connections", -1)

    for pool in dict.fromkeys(pools):
        event.listen(pool, "checkout", taken)
        event.listen(pool, "checkin", returned)
    return pools
