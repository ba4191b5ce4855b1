"""Usage and periods in memory."""

from datetime import date

from modulo.adapters.memory_metadata.store import Store, UsageRow, UserRow
from modulo.domain.errors import NotFound
from modulo.domain.identity import Principal
from modulo.domain.quota import Quotas, Reservation, Usage, resets_at


def usage_of(store: Store, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
    """What the caller holds and has used; nothing where the caller never did anything."""
    key = (principal.tenant_id, principal.user_id)
    user = store.users.get(key, UserRow(*key, ""))
    row = store.usage.get((*key, period), UsageRow())
    return Usage(
        period=period,
        resets_at=resets_at(period),
        collections=user.collection_count,
        storage_bytes=user.storage_bytes,
        tokens_used=row.used,
        tokens_reserved=row.reserved,
        quotas=quotas,
    )


def reserve(store: Store, principal: Principal, reservation: Reservation) -> bool:
    """Reserve tokens where so many are left."""
    key = (principal.tenant_id, principal.user_id, reservation.period)
    row = store.usage.get(key, UsageRow())
    if row.used + row.reserved + reservation.tokens > reservation.limit:
        return False
    store.usage[key] = row
    row.reserved += reservation.tokens
    return True


def settle_tokens(store: Store, principal: Principal, *, period: date, reserved: int, used: int) -> None:
    """Turn a reservation into what was used, also after the reservation itself was dropped."""
    key = (principal.tenant_id, principal.user_id)
    if key not in store.users:
        raise NotFound
    row = store.usage.setdefault((*key, period), UsageRow())
    row.reserved = max(row.reserved - reserved, 0)
    row.used += used


def open_period(store: Store, period: date, *, keep_from: date) -> bool:
    """Open a period for all tenants, once."""
    if period in store.periods:
        return False
    store.periods.add(period)
    for key in [key for key in store.usage if key[2] < keep_from]:
        del store.usage[key]
    for (_, _, earlier), row in store.usage.items():
        if earlier < period:
            row.reserved = 0
    return True
