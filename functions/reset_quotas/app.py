"""The daily opening of a new period."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.reset_quotas import reset_quotas


def work() -> dict[str, Any]:
    """Open the period of today."""
    s = services()
    period, opened = reset_quotas(metadata=s.metadata, clock=s.clock, retention_days=s.settings.usage_retention_days)
    return {"period": period.isoformat(), "opened": opened}


handler = schedule_handler(work)
