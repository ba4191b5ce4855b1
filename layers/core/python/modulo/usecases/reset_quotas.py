"""Open a new quota period."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.tenancy.quota import period_of

if TYPE_CHECKING:
    from datetime import date

    from modulo.ports.clock import Clock
    from modulo.ports.metadata.usage import UsageLedger


def reset_quotas(*, usage: UsageLedger, clock: Clock, retention_days: int) -> tuple[date, bool]:
    """Open the current period; True where it was not open yet.

    Idempotent. Usage is counted by period, so a reset that comes twice, late or never changes nobody's quota. It drops
    the reservations that crashed requests left behind, and usage older than `retention_days`.
    """
    period = period_of(clock.now())
    return period, usage.open_period(period, keep_from=period - timedelta(days=retention_days))
