"""Show the caller's usage and quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.tenancy.quota import period_of

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas, Usage
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.usage import UsageLedger


def get_usage(principal: Principal, *, usage: UsageLedger, clock: Clock, quotas: Quotas) -> Usage:
    """What the caller holds now and has used in the current period."""
    return usage.get_usage(principal, period=period_of(clock.now()), quotas=quotas)
