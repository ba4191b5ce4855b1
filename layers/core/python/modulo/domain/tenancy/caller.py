"""Who calls, as they may see themselves."""

from modulo.domain.tenancy.identity import Account, Scope
from modulo.domain.tenancy.quota import Quotas, Usage


class Caller(Account):
    """The caller's account, the credential's scopes, the quotas, and what is used of them."""

    scopes: tuple[Scope, ...]
    quotas: Quotas
    usage: Usage
