"""The regular sweep of what got stuck."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.sweep import sweep


def work() -> dict[str, Any]:
    """Sweep once."""
    s = services()
    swept = sweep(metadata=s.metadata, ingests=s.ingests, purges=s.purges, metrics=s.metrics, clock=s.clock)
    return {"failed": len(swept.failed), "requeued": len(swept.requeue), "purges": len(swept.purge)}


handler = schedule_handler(work)
