"""GET /health."""

from enum import StrEnum

from modulo import __version__
from modulo.runtime.endpoint import APIRouter, Response, handler_of, run, services
from modulo.usecases.health import Health, health

router = APIRouter()


class Probe(StrEnum):
    """What to find out: whether the process lives, or whether all it depends on answers too."""

    live = "live"
    ready = "ready"


@router.get("/health", operation_id="health", responses={503: {"model": Health, "description": "a part is down"}})
async def endpoint(response: Response, probe: Probe = Probe.ready) -> Health:
    """Tell whether the service can work, and how quickly each part answers."""
    found = await run(health, services().pings(probe), version=__version__, timeout=5)
    response.status_code = {"ok": 200, "down": 503}[found.status]
    return found


handler = handler_of(router)
