"""Who may see how each dependency is: those with a credential, and a monitor with `HEALTH_TOKEN`."""

import hmac
from enum import StrEnum

from fastapi import Request

from modulo.domain.tenancy.identity import Scope
from modulo.runtime.auth import authorize, credential_of
from modulo.services import services


class Probe(StrEnum):
    """Liveness, or readiness: whether every dependency answers too."""

    live = "live"
    ready = "ready"


async def sees_details(request: Request, probe: Probe | None) -> bool:
    """Whether the request is answered with how each dependency is.

    A liveness probe never is; a readiness probe must be, and any other request is where it carries a credential.

    Raises:
        Unauthenticated: it carries no valid credential, but carries one or is a readiness probe.
    """
    if probe is Probe.live or (probe is None and {"x-api-key", "authorization"}.isdisjoint(request.headers)):
        return False
    credential, token = credential_of(request), services().settings.health_token
    expected = token.get_secret_value() if token else ""
    if not expected or not hmac.compare_digest(credential.encode("utf-8", "surrogatepass"), expected.encode()):
        await authorize(credential, Scope.read)
    return True
