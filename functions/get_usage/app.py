"""GET /usage."""

from modulo.domain.tenancy.quota import Usage
from modulo.runtime.endpoint import APIRouter, Reader, Response, handler_of, remaining, responses, run, services
from modulo.usecases.get_usage import get_usage

router = APIRouter(tags=["account"])


@router.get("/usage", operation_id="get_usage", responses=responses())
async def endpoint(caller: Reader, response: Response) -> Usage:
    """Show the caller's usage and quotas."""
    s = services()
    found = await run(get_usage, caller, usage=s.usage, clock=s.clock, quotas=s.settings.quotas)
    response.headers.update(remaining(found, s.clock.now()))
    return found


handler = handler_of(router, uses=("usage", "clock"))
