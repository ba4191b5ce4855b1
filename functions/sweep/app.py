"""The regular sweep of what got stuck."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.sweep import sweep


def work() -> dict[str, Any]:
    """Sweep once."""
    s = services()
    report = sweep(
        metadata=s.metadata,
        ingests=s.ingests,
        purges=s.purges,
        metrics=s.metrics,
        clock=s.clock,
        receipt_days=s.settings.deletion_retention_days,
    )
    return report.model_dump(mode="json")


handler = schedule_handler(work)
