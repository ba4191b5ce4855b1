"""The regular sweep of what got stuck."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.sweep import Rest, sweep

rest = Rest()


def work() -> dict[str, Any]:
    """Sweep once."""
    s = services()
    report = sweep(
        metadata=s.metadata,
        ingests=s.ingests,
        fetches=s.fetches,
        purges=s.purges,
        dead_letters=s.dead_letters,
        pushes=s.pushes,
        metrics=s.metrics,
        clock=s.clock,
        receipt_days=s.settings.deletion_retention_days,
        rest=rest,
        rest_seconds=s.settings.sweep_rest_seconds,
    )
    return report.model_dump(mode="json")


handler = schedule_handler(work)
