"""Tenants, users, roles, scopes and API keys."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from pydantic import Field

from modulo.domain.model import FrozenModel

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
    """What a credential may be used for; the user also needs a role on the collection."""

    read = "read"
    write = "write"


class Tenant(FrozenModel):
    """A customer: nothing of one tenant is ever visible to another."""

    id: UUID
    name: str
    deleted_at: datetime | None = None


class User(FrozenModel):
    """A person or program inside a tenant."""

    tenant_id: UUID
    id: UUID
    name: str


class Named(FrozenModel):
    """An id with its name; the id again where no name is known."""

    id: UUID
    name: str


class Account(FrozenModel):
    """The caller's own account."""

    user: Named
    tenant: Named
    roles: Mapping[Role, int] = Field(description="number of living collections in which the caller has the role")


@dataclass(frozen=True, slots=True)
class Principal:
    """The verified caller of one request: the only source of tenant and user."""

    tenant_id: UUID
    user_id: UUID
    scopes: frozenset[Scope]


class ApiKey(FrozenModel):
    """An API key as it may be shown: never the secret."""

    id: UUID
    tenant_id: UUID
    user_id: UUID
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class OwnedApiKey(ApiKey):
    """An API key with the name of the user whom it speaks for."""

    user_name: str


def new_api_key() -> str:
    """A fresh secret of 256 random bits: shown once, stored only as its hash."""
    return API_KEY_PREFIX + secrets.token_urlsafe(32)


def api_key_hash(secret: str) -> bytes:
    """SHA-256 of the secret; a slow hash adds nothing to 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def external_id(issuer: str, name: str) -> UUID:
    """The id of an identity of another system, derived from issuer and name."""
    return uuid5(_IDENTITY, f"{issuer}\n{name}")
