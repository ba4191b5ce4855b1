"""GET /health."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Final

from modulo import __version__
from modulo.runtime.endpoint import APIRouter, Request, Response, handler_of, run_external, services
from modulo.runtime.health_access import may_see_details, must_see_details, sees_no_details
from modulo.usecases.health import Answers, Health, health

router = APIRouter(tags=["health"])


class Probe(StrEnum):
    """Liveness, or readiness: whether every dependency answers too."""

    live = "live"
    ready = "ready"


SEES_DETAILS: Final[Mapping[Probe | None, Callable[[Request], Awaitable[bool]]]] = {
    Probe.live: sees_no_details,
    Probe.ready: must_see_details,
    None: may_see_details,
}


async def shallow() -> Health:
    """That the service answers."""
    return Health(status="ok", version=__version__)


async def deep() -> Health:
    """How every dependency and worker is."""
    s = services()
    answers = Answers(generator=s.settings.generator, model=s.settings.generator_model or None)
    asked = {"pings": s.pings(), "workers": s.worker_statuses, "answers": answers}
    return await run_external(health, version=__version__, timeout=5, **asked)


@router.get(
    "/health",
    operation_id="health",
    response_model_exclude_none=True,
    responses={503: {"model": Health, "description": "a dependency or an expected worker is down"}},
)
async def endpoint(request: Request, response: Response, probe: Probe | None = None) -> Health:
    """Check whether the service answers; with a credential, also whether each dependency and worker does.

    Without a credential, the response has the status and version only, and nothing is asked. `probe=ready` needs a
    credential: an API key, a token, or `HEALTH_TOKEN`.
    """
    found = await {True: deep, False: shallow}[await SEES_DETAILS[probe](request)]()
    response.status_code = {"ok": 200, "down": 503}[found.status]
    return found


handler = handler_of(router)
