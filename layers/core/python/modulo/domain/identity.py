"""Who is asking: tenants, users, roles, scopes and API keys."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from modulo.domain.value import Value

API_KEY_PREFIX = "mod_"
_IDENTITY = UUID("6f0d3d9e-6a52-4a43-9b57-0c9c1f6f7a11")


class Role(StrEnum):
    """What a member may do with a collection; each role includes those after it."""

    owner = "owner"
    editor = "editor"
    viewer = "viewer"

    def allows(self, needed: "Role") -> bool:
        """Whether this role includes the needed one."""
        order = list(Role)
        return order.index(self) <= order.index(needed)


class Scope(StrEnum):
    """What a credential may be used for; a role on the collection is needed besides."""

    read = "read"
    write = "write"


class Tenant(Value):
    """A customer: nothing of one tenant is ever visible to another."""

    id: UUID
    name: str
    deleted_at: datetime | None = None


class User(Value):
    """A person or program inside a tenant."""

    tenant_id: UUID
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller of one request: the only source of tenant and user."""

    tenant_id: UUID
    user_id: UUID
    scopes: frozenset[Scope]


class ApiKey(Value):
    """An API key as it may be shown: never the secret."""

    id: UUID
    tenant_id: UUID
    user_id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


def new_api_key() -> str:
    """A fresh secret of 256 random bits: shown once, stored only as its hash."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def api_key_hash(secret: str) -> bytes:
    """SHA-256 of the secret; a slow hash adds nothing to 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def external_id(issuer: str, name: str) -> UUID:
    """The id of an identity that another system names: the same names give the same id."""
    return uuid5(_IDENTITY, f"{issuer}\n{name}")
