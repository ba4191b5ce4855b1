"""Ids derived from a client's idempotency key, so that a repeated request creates nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4, uuid5

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal


def new_id(principal: Principal, kind: str, key: str | None) -> UUID:
    """A random id or, with a key, the same id for the same user, kind and key."""
    return uuid5(principal.user_id, f"{principal.tenant_id}:{kind}:{key}") if key else uuid4()
