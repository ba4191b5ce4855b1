"""Who may see how each dependency is: those with a credential, and a monitor with `HEALTH_TOKEN`."""

import hmac

from fastapi import Request

from modulo.domain.identity import Scope
from modulo.runtime.auth import authorize, credential_of
from modulo.services import services


async def sees_no_details(_: Request) -> bool:
    """Never."""
    return False


async def may_see_details(request: Request) -> bool:
    """Whether the request carries a credential.

    Raises:
        Unauthenticated: it carries one that is not valid.
    """
    return not {"x-api-key", "authorization"}.isdisjoint(request.headers) and await must_see_details(request)


async def must_see_details(request: Request) -> bool:
    """Always.

    Raises:
        Unauthenticated: the request carries no valid credential.
    """
    credential, token = credential_of(request), services().settings.health_token
    expected = token.get_secret_value() if token else ""
    if not expected or not hmac.compare_digest(credential.encode("utf-8", "surrogatepass"), expected.encode()):
        await authorize(credential, Scope.read)
    return True
