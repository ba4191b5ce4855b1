"""Open a new period."""

from datetime import date, timedelta

from modulo.domain.quota import period_of
from modulo.ports import Clock, Metadata


def reset_quotas(*, metadata: Metadata, clock: Clock, retention_days: int) -> tuple[date, bool]:
    """Open the current period; True where it was not open yet.

    Usage is counted by period, so that a reset that comes twice, late or never gives nobody more or
    less: what it does is to drop reservations that crashed requests left behind.
    """
    period = period_of(clock.now())
    return period, metadata.open_period(period, keep_from=period - timedelta(days=retention_days))
