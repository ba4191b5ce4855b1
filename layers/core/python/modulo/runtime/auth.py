"""Authentication: from a request's credential to the principal it speaks for."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request

from modulo.domain.errors import Forbidden, Unauthenticated
from modulo.domain.tenancy.identity import API_KEY_PREFIX, Principal, Scope, api_key_hash
from modulo.runtime.telemetry import add_log_fields
from modulo.runtime.threads import run
from modulo.services import Services, services

MAX_CACHED_CREDENTIALS = 10_000
MAX_CREDENTIAL_CHARACTERS = 16_384


def authenticate(credential: str, *, services: Services) -> Principal:
    """The principal that an API key or a bearer token speaks for.

    A valid key is cached for `api_key_cache_seconds`, so that a warm environment does not look it up for each
    request; an invalid one is looked up each time.

    Raises:
        Unauthenticated: the credential is not valid.
    """
    found = cached_principal(credential, services=services)
    if found:
        return found
    if credential.startswith(API_KEY_PREFIX):
        return _principal_of_key(credential, services)
    if services.tokens is None:
        raise Unauthenticated
    return _require_tenant(services.tokens.principal(credential), services)


def cached_principal(credential: str, *, services: Services) -> Principal | None:
    """The principal of a key that was found valid a moment ago; no I/O."""
    if not credential.startswith(API_KEY_PREFIX):
        return None
    found = services.known_keys.get(api_key_hash(credential))
    return found[1] if found and found[0] > monotonic() else None


def _principal_of_key(secret: str, services: Services) -> Principal:
    hashed = api_key_hash(secret)
    principal = services.identities.principal_of(hashed, now=services.clock.now())
    if principal is None:
        services.known_keys.pop(hashed, None)
        raise Unauthenticated("The API key is unknown, expired or revoked.")
    _cache(hashed, principal, services)
    return principal


def _cache(key: bytes, principal: Principal, services: Services) -> None:
    if len(services.known_keys) >= MAX_CACHED_CREDENTIALS:
        services.known_keys.clear()
    services.known_keys[key] = (monotonic() + services.settings.api_key_cache_seconds, principal)


def _require_tenant(principal: Principal, services: Services) -> Principal:
    """The principal, unless its tenant was deleted; that is looked up as seldom as keys are."""
    known, tenant = services.known_keys.get(principal.tenant_id.bytes), principal.tenant_id
    if known is None or known[0] <= monotonic():
        if services.tenants.tenant_deleted(tenant):
            raise Unauthenticated
        _cache(tenant.bytes, principal, services)
    return principal


def credential_validity(credential: str, *, services: Services) -> tuple[bytes | None, datetime | None]:
    """The hash of a key, or the expiry of a token: what later decides whether the credential is still valid."""
    if credential.startswith(API_KEY_PREFIX):
        return api_key_hash(credential), None
    return None, services.tokens.expires_at(credential) if services.tokens else None


def credential_of(request: Request) -> str:
    """The API key or the bearer token that a request carries.

    Raises:
        Unauthenticated: it carries none, or several.
    """
    given = [*request.headers.getlist("x-api-key"), *request.headers.getlist("authorization")]
    if len(given) > 1:
        raise Unauthenticated("Send one credential: an API key or a bearer token.")
    credential = request.headers.get("x-api-key") or _bearer(request.headers.get("authorization", ""))
    if not credential or len(credential) > MAX_CREDENTIAL_CHARACTERS:
        raise Unauthenticated
    return credential


def _bearer(authorization: str) -> str:
    """The token, without the blanks and tabs that HTTP allows around it, and none else."""
    scheme, _, token = authorization.partition(" ")
    return token.strip(" \t") if scheme.lower() == "bearer" else ""


async def authorize(credential: str, scope: Scope) -> Principal:
    """The principal that a credential speaks for, if the credential has the scope.

    Raises:
        Unauthenticated: the credential is not valid.
        Forbidden: it lacks the scope.
    """
    made = services()
    found = cached_principal(credential, services=made)
    if found is None:  # a lookup waits for a store or an issuer, and must not block the event loop
        found = await run(authenticate, credential, services=made)
    add_log_fields(tenant_id=str(found.tenant_id))
    if scope not in found.scopes:
        raise Forbidden(f"The credential lacks the scope {scope.value!r}.")
    return found


def _requires(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    async def principal(request: Request) -> Principal:
        return await authorize(credential_of(request), scope)

    return principal


async def _reauthenticate(request: Request) -> Callable[[], Awaitable[Principal]]:
    await _require_read(request)
    return partial(_require_read, request)


_require_read, _require_write = _requires(Scope.read), _requires(Scope.write)
AUTHENTICATORS = frozenset({_require_read, _require_write, _reauthenticate})
"""The dependencies of operations that ask for a credential."""
Reader = Annotated[Principal, Depends(_require_read)]
Writer = Annotated[Principal, Depends(_require_write)]
Reauthenticate = Annotated[Callable[[], Awaitable[Principal]], Depends(_reauthenticate)]
"""Checks a reader's credential, now and each time that it is called: for responses that go on."""
