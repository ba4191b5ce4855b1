"""Usage and its periods."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import CTE, BigInteger, Connection, Date, FromClause, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from modulo.adapters.postgres.identities import introduce
from modulo.adapters.postgres.pools import Pooled, autocommit, read, transaction
from modulo.adapters.postgres.rows import in_tenant
from modulo.adapters.postgres.tables import periods, usage, users
from modulo.domain.tenancy.quota import Quotas, Usage, resets_at

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Reservation


class PostgresUsageLedger(Pooled):
    """Usage and its periods."""

    @read
    def get_usage(self, connection: Connection, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
        """What the caller holds and has used; nothing where the caller never did anything."""
        statement = (
            select(users.c.collection_count, users.c.storage_bytes, usage.c.tokens_used, usage.c.tokens_reserved)
            .outerjoin(
                usage,
                (usage.c.tenant_id == users.c.tenant_id) & (usage.c.user_id == users.c.id) & (usage.c.period == period),
            )
            .where(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id)
        )
        row = connection.execute(statement).one_or_none()
        collections, storage, used, reserved = row or (0, 0, 0, 0)
        return Usage(
            period=period,
            resets_at=resets_at(period),
            collections=collections,
            storage_bytes=storage,
            tokens_used=used or 0,
            tokens_reserved=reserved or 0,
            quotas=quotas,
        )

    @transaction
    def reserve_tokens(self, connection: Connection, principal: Principal, reservation: Reservation) -> bool:
        """Reserve them for a caller who may be new."""
        introduce(connection, principal)
        caller = (
            select(users.c.tenant_id, users.c.id.label("user_id"))
            .where(in_tenant(principal.tenant_id, users), users.c.id == principal.user_id)
            .cte("caller")
        )
        asked = {"period": reservation.period, "tokens": reservation.tokens, "limit": reservation.limit}
        return connection.execute(select(reserving(caller).c.period), asked).first() is not None

    @autocommit
    def settle_tokens(
        self, connection: Connection, principal: Principal, *, period: date, reserved: int, used: int
    ) -> None:
        """Turn a reservation into what was used, also after the reservation itself was dropped."""
        statement = insert(usage).values(
            tenant_id=principal.tenant_id, user_id=principal.user_id, period=period, tokens_used=used
        )
        settled = {
            "tokens_reserved": func.greatest(usage.c.tokens_reserved - reserved, 0),
            "tokens_used": usage.c.tokens_used + used,
        }
        connection.execute(statement.on_conflict_do_update(constraint=usage.primary_key, set_=settled))

    @transaction
    def open_period(self, connection: Connection, period: date, *, keep_from: date) -> bool:
        """Open a period for all tenants, once."""
        opened = insert(periods).values(period=period).on_conflict_do_nothing().returning(periods.c.period)
        if connection.execute(opened).first() is None:
            return False
        left = (usage.c.period < period, usage.c.period >= keep_from, usage.c.tokens_reserved > 0)
        connection.execute(update(usage).values(tokens_reserved=0).where(*left))
        connection.execute(delete(usage).where(usage.c.period < keep_from))
        return True


def reserving(granted: FromClause) -> CTE:
    """Reserve `:tokens` in `:period` for the one whom anything is granted; a row where `:limit` leaves so many."""
    tokens, limit = (bindparam(name, type_=BigInteger()) for name in ("tokens", "limit"))
    wanted = select(granted.c.tenant_id, granted.c.user_id, bindparam("period", type_=Date()), tokens)
    return (
        insert(usage)
        .from_select(["tenant_id", "user_id", "period", "tokens_reserved"], wanted.where(tokens <= limit).limit(1))
        .on_conflict_do_update(
            constraint=usage.primary_key,
            set_={"tokens_reserved": usage.c.tokens_reserved + tokens},
            where=usage.c.tokens_used + usage.c.tokens_reserved + tokens <= limit,
        )
        .returning(usage.c.period)
        .cte("reserved")
    )
