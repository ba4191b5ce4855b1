"""The daily start of a new quota period."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.reset_quotas import reset_quotas


def work() -> dict[str, Any]:
    """Open today's period."""
    s = services()
    period, opened = reset_quotas(usage=s.usage, clock=s.clock, retention_days=s.settings.usage_retention_days)
    return {"period": period.isoformat(), "opened": opened}


handler = schedule_handler(work, uses=("usage", "clock"))
