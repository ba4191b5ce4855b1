"""From a request's credential to the principal it speaks for."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Annotated

from fastapi import Depends, Request

from modulo.domain.errors import Forbidden, Unauthenticated
from modulo.domain.identity import API_KEY_PREFIX, Principal, Scope, api_key_hash
from modulo.runtime.calls import run
from modulo.services import Services, services

KNOWN_KEYS = 10_000
MAX_CREDENTIAL = 16_384


def authenticate(credential: str, *, services: Services) -> Principal:
    """Whom an API key or a bearer token speaks for.

    A key is remembered for `api_key_cache_seconds`, so that a warm environment need not ask for it
    at each request; a key that is not valid is asked for each time.

    Raises:
        Unauthenticated: the credential is not valid.
    """
    found = remembered(credential, services=services)
    if found:
        return found
    if credential.startswith(API_KEY_PREFIX):
        return _of_key(credential, services)
    if services.tokens is None:
        raise Unauthenticated
    return _of_tenant(services.tokens.principal(credential), services)


def remembered(credential: str, *, services: Services) -> Principal | None:
    """Whom a key speaks for that was found valid a moment ago; asks nobody."""
    if not credential.startswith(API_KEY_PREFIX):
        return None
    found = services.known_keys.get(api_key_hash(credential))
    return found[1] if found and found[0] > monotonic() else None


def _of_key(secret: str, services: Services) -> Principal:
    hashed = api_key_hash(secret)
    principal = services.metadata.principal_of(hashed, now=services.clock.now())
    if principal is None:
        services.known_keys.pop(hashed, None)
        raise Unauthenticated("The API key is unknown, expired or revoked.")
    _remember(hashed, principal, services)
    return principal


def _remember(key: bytes, principal: Principal, services: Services) -> None:
    if len(services.known_keys) >= KNOWN_KEYS:
        services.known_keys.clear()
    services.known_keys[key] = (monotonic() + services.settings.api_key_cache_seconds, principal)


def _of_tenant(principal: Principal, services: Services) -> Principal:
    """The principal, unless its tenant was deleted, which is asked for as seldom as keys are."""
    known, tenant = services.known_keys.get(principal.tenant_id.bytes), principal.tenant_id
    if known is None or known[0] <= monotonic():
        if services.metadata.tenant_deleted(tenant):
            raise Unauthenticated
        _remember(tenant.bytes, principal, services)
    return principal


def endurance(credential: str, *, services: Services) -> tuple[bytes | None, datetime | None]:
    """By what to tell later whether an admitted credential is still valid: a key's hash, or a token's end."""
    if credential.startswith(API_KEY_PREFIX):
        return api_key_hash(credential), None
    return None, services.tokens.expires_at(credential) if services.tokens else None


def credential_of(request: Request) -> str:
    """The API key or the bearer token that a request carries.

    Raises:
        Unauthenticated: it carries none.
    """
    key = request.headers.get("x-api-key")
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    credential = key or (token.strip() if scheme.lower() == "bearer" else "")
    if not credential or len(credential) > MAX_CREDENTIAL:
        raise Unauthenticated
    return credential


async def admitted(credential: str, scope: Scope) -> Principal:
    """Whom a credential speaks for that has the scope.

    Raises:
        Unauthenticated: the credential is not valid.
        Forbidden: it lacks the scope.
    """
    made = services()
    found = remembered(credential, services=made)
    if found is None:  # a store or an issuer may have to be asked, which the event loop must not wait for
        found = await run(authenticate, credential, services=made)
    if scope not in found.scopes:
        raise Forbidden(f"The credential lacks the scope {scope.value!r}.")
    return found


def _requires(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    async def principal(request: Request) -> Principal:
        return await admitted(credential_of(request), scope)

    return principal


async def _watcher(request: Request) -> Callable[[], Awaitable[Principal]]:
    await _READS(request)
    return partial(_READS, request)


_READS = _requires(Scope.read)
Reader = Annotated[Principal, Depends(_READS)]
Writer = Annotated[Principal, Depends(_requires(Scope.write))]
Watcher = Annotated[Callable[[], Awaitable[Principal]], Depends(_watcher)]
"""A caller whose credential can be checked again as long as the answer goes on."""
