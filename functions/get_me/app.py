"""GET /me."""

from modulo.domain.tenancy.caller import Caller
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_me import get_me

router = APIRouter(tags=["account"])


@router.get("/me", operation_id="get_me", responses=responses())
async def endpoint(caller: Reader) -> Caller:
    """Show who the caller is: user, tenant, roles in collections, scopes, quotas and usage."""
    s = services()
    return await run(get_me, caller, identities=s.identities, usage=s.usage, clock=s.clock, quotas=s.settings.quotas)


handler = handler_of(router, uses=("identities", "usage", "clock"))
