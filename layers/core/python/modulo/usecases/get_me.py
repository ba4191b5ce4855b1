"""Show who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.tenancy.caller import Caller
from modulo.domain.tenancy.quota import period_of

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.identities import Identities
    from modulo.ports.metadata.usage import UsageLedger


def get_me(principal: Principal, *, identities: Identities, usage: UsageLedger, clock: Clock, quotas: Quotas) -> Caller:
    """User, tenant, roles, the credential's scopes, and what is used of the quotas."""
    account = identities.get_account(principal)
    return Caller(
        user=account.user,
        tenant=account.tenant,
        roles=account.roles,
        scopes=tuple(sorted(principal.scopes)),
        usage=usage.get_usage(principal, period=period_of(clock.now()), quotas=quotas),
        quotas=quotas,
    )
