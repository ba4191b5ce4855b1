"""Ids that a client's idempotency key decides, so that asking twice creates once."""

from uuid import UUID, uuid4, uuid5

from modulo.domain.identity import Principal


def new_id(principal: Principal, kind: str, key: str | None) -> UUID:
    """A random id or, with a key, the one that this user's key always gives for this kind of thing."""
    return uuid5(principal.user_id, f"{principal.tenant_id}:{kind}:{key}") if key else uuid4()
