"""Show what the caller uses of its quotas."""

from modulo.domain.identity import Principal
from modulo.domain.quota import Quotas, Usage, period_of
from modulo.ports import Clock, Metadata


def get_usage(principal: Principal, *, metadata: Metadata, clock: Clock, quotas: Quotas) -> Usage:
    """What the caller holds now and has used in the current period."""
    return metadata.usage(principal, period=period_of(clock.now()), quotas=quotas)
