"""Quotas as header fields: `RateLimit-Policy` says what they are, `RateLimit` what is left of them.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: lists of structured values, `q` being the quota, `w`
its period in seconds, `r` what remains, and `t` the seconds until it is replenished.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from fastapi import Depends, Request

from modulo.domain.tenancy.quota import resets_at
from modulo.services import services

if TYPE_CHECKING:
    from datetime import datetime

    from modulo.domain.errors import QuotaExceeded
    from modulo.domain.tenancy.quota import Quotas, Usage

DAY_SECONDS: Final = 86_400
ANNOUNCED: Final = "modulo.policy"
"""The key of a request's scope under which the `RateLimit-Policy` of its response stands, also of a stream."""
TOKENS: Final = "tokens_per_day"
"""The one quota by time."""


def announces(*names: str) -> list[Any]:
    """The dependency of a route that counts against these quotas, which are fields of `Quotas`."""
    return [Depends(_announcement(names))]


def _announcement(names: tuple[str, ...]) -> Callable[[Request], Awaitable[None]]:
    async def announce(request: Request) -> None:
        request.scope[ANNOUNCED] = policies(services().settings.quotas, names)

    return announce


def policies(quotas: Quotas, names: tuple[str, ...]) -> str:
    """These quotas as a `RateLimit-Policy`."""
    return ", ".join(_policy(name, getattr(quotas, name)) for name in names)


def _policy(name: str, quota: int) -> str:
    return f'"{name}";q={quota}' + (f";w={DAY_SECONDS}" if name == TOKENS else "")


def remaining(usage: Usage, now: datetime) -> dict[str, str]:
    """What a user has left, as both fields."""
    quotas = usage.quotas
    left = {
        TOKENS: quotas.tokens_per_day - usage.tokens_used - usage.tokens_reserved,
        "collections": quotas.collections - usage.collections,
        "storage_bytes": quotas.storage_bytes - usage.storage_bytes,
    }
    wait = max(0, round((resets_at(usage.period) - now).total_seconds()))
    return {
        "RateLimit-Policy": policies(quotas, tuple(left)),
        "RateLimit": ", ".join(
            f'"{name}";r={max(0, number)}' + (f";t={wait}" if name == TOKENS else "") for name, number in left.items()
        ),
    }


def exhausted(error: QuotaExceeded) -> dict[str, str]:
    """The quota that is used up, as both fields."""
    name = str(error.extra["resource"])
    wait = "" if error.retry_after is None else f";t={error.retry_after}"
    return {"RateLimit-Policy": _policy(name, error.extra["limit"]), "RateLimit": f'"{name}";r=0{wait}'}
