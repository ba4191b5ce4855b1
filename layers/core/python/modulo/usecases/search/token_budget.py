"""The tokens of a search's answers: reserved before they are generated, settled afterwards."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Final

from modulo.domain.errors import ModuloError
from modulo.domain.tenancy.quota import Reservation, period_of, quota_exceeded, resets_at
from modulo.ports.deadline import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.usage import UsageLedger


SETTLE_SECONDS: Final = 5.0
log = logging.getLogger(__name__)


@dataclass(slots=True)
class TokenBudget:
    """What was reserved of the caller's tokens of a day since `now`, and what was used of it."""

    principal: Principal
    usage: UsageLedger
    now: datetime
    tokens_per_day: int
    reserved: int = 0
    used: int = 0
    asked: int = 0
    """What the answers asked for so far may use at most."""
    committed: int = 0
    """What was reserved for the answers of earlier rounds."""
    multiplier: float | None = None
    """Of the tokens that one step may take, what all may take; None for no such bound."""
    concludes: bool = False
    """Whether one more answer is made of the others'."""
    step: int = 0
    """What the largest step of the first round may take."""
    lock: Lock = field(default_factory=Lock)

    def reservation(self, tokens: int) -> Reservation | None:
        """What is still to be reserved so that all answers may use so many tokens; None where that is nothing."""
        missing = self.committed + tokens - self.reserved
        return Reservation(period_of(self.now), missing, self.tokens_per_day) if missing > 0 else None

    def record(self, reservation: Reservation, *, reserved: bool) -> None:
        """Record what became of a reservation.

        Raises:
            QuotaExceeded: too few tokens were left.
        """
        if not reserved:
            wait = ceil((resets_at(reservation.period) - self.now).total_seconds())
            raise quota_exceeded("tokens_per_day", reservation.limit, retry_after=wait)
        self.reserved += reservation.tokens

    def needed(self, steps: Sequence[int]) -> int:
        """What the steps of a round may take together, within the multiplier's bound."""
        first = max(steps, default=0)
        self.step = self.step if self.committed else first
        total = sum(steps) + (first if self.concludes and not self.committed else 0)
        if self.multiplier is None:
            return total
        return max(0, min(total, int(self.multiplier * self.step) - self.committed))

    def next_round(self) -> None:
        """Keep what was reserved until now for the answers until now."""
        self.committed = self.reserved

    def allows(self, tokens: int) -> bool:
        """Whether one more answer, which may use so many, fits into the bound; then it is counted."""
        fits = self.multiplier is None or self.asked + tokens <= self.reserved
        self.asked += tokens if fits else 0
        return fits

    def charge(self, tokens: int) -> int:
        """Count what a model says that it used, as far as that is reserved; the number that was counted."""
        with self.lock:
            charged = max(0, min(tokens, self.reserved - self.used))
            self.used += charged
        return charged

    @contextmanager
    def settled(self) -> Iterator[None]:
        """At the end, charge the tokens that were used and give back the rest of the reserved.

        Where that fails, all of the reserved counts as used until the period ends.
        """
        try:
            yield
        finally:
            if self.reserved:
                self._settle()

    def _settle(self) -> None:
        period = period_of(self.now)
        try:
            with within(SETTLE_SECONDS):  # also where the request's time is up, or its client has left
                self.usage.settle_tokens(self.principal, period=period, reserved=self.reserved, used=self.used)
        except ModuloError as error:
            user_id = self.principal.user_id
            log.error("%d reserved tokens of user %s not settled: %s", self.reserved, user_id, error.detail)
