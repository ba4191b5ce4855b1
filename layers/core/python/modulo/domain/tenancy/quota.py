"""Quotas and the usage that counts against them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import Field

from modulo.domain.errors import QuotaExceeded
from modulo.domain.model import FrozenModel


class Quotas(FrozenModel):
    """What one user may hold and use; the defaults are the architecture document's."""

    collections: int = Field(default=10, ge=0, description="collections a user owns")
    files: int = Field(default=100, ge=0, description="files in a collection")
    user_files: int = Field(default=1_000, ge=0, description="files a user keeps outside collections")
    storage_bytes: int = Field(default=10 * 1024**3, ge=0, description="bytes a user stores")
    conversations: int = Field(default=1_000, ge=0, description="conversations a user keeps")
    messages: int = Field(default=1_000, ge=2, description="messages in a conversation")
    tokens_per_day: int = Field(default=100_000, ge=0, description="tokens of language models a user uses in a day")


class Usage(FrozenModel):
    """What a user holds now and has used in the current period."""

    period: date
    resets_at: datetime
    collections: int
    storage_bytes: int
    tokens_used: int
    tokens_reserved: int
    quotas: Quotas


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens to reserve in a period; reserved and used tokens together must stay within the limit."""

    period: date
    tokens: int
    limit: int


def period_of(now: datetime) -> date:
    """The period a moment belongs to: its day in UTC."""
    return now.astimezone(UTC).date()


def resets_at(period: date) -> datetime:
    """When the period ends."""
    return datetime.combine(period + timedelta(days=1), datetime.min.time(), tzinfo=UTC)


def quota_exceeded(resource: str, limit: int, *, retry_after: int | None = None) -> QuotaExceeded:
    """The error that names the exhausted quota; `retry_after` is for quotas by time."""
    hint = "wait for the next period" if retry_after is not None else "delete what is no longer needed"
    return QuotaExceeded(
        f"Quota exceeded for {resource}: the limit is {limit}; {hint} or ask for a higher limit.",
        retry_after=retry_after,
        resource=resource,
        limit=limit,
    )
