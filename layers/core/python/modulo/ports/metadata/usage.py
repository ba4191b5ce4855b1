"""Usage and its periods."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas, Reservation, Usage


class UsageLedger(Protocol):
    """What users hold and have used of their quotas, by period."""

    def get_usage(self, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
        """What the caller holds and has used."""
        ...

    def reserve_tokens(self, principal: Principal, reservation: Reservation) -> bool:
        """Reserve tokens in one statement, all or none; whether they were."""
        ...

    def settle_tokens(self, principal: Principal, *, period: date, reserved: int, used: int) -> None:
        """Turn a reservation into what was really used, in one statement; 0 refunds it."""
        ...

    def open_period(self, period: date, *, keep_from: date) -> bool:
        """Open a period, drop what was left reserved in earlier ones and forget those before `keep_from`.

        False where it was open already, in which case nothing changed.
        """
        ...
