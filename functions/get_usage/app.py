"""GET /usage."""

from modulo.domain.quota import Usage
from modulo.runtime.endpoint import APIRouter, Reader, handler_of, responses, run, services
from modulo.usecases.get_usage import get_usage

router = APIRouter()


@router.get("/usage", operation_id="get_usage", responses=responses())
async def endpoint(caller: Reader) -> Usage:
    """Show what the caller uses of its quotas."""
    s = services()
    return await run(get_usage, caller, metadata=s.metadata, clock=s.clock, quotas=s.settings.quotas)


handler = handler_of(router)
