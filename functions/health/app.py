"""GET /health."""

from modulo import __version__
from modulo.domain.errors import Forbidden, Unauthenticated
from modulo.runtime.endpoint import APIRouter, Request, Response, handler_of, responses, run_external, services
from modulo.runtime.health_access import Probe, sees_details
from modulo.usecases.health import Answers, Health, health

router = APIRouter(tags=["health"])


async def shallow() -> Health:
    """That the service answers."""
    return Health(status="ok", version=__version__)


async def deep() -> Health:
    """How every dependency and worker is."""
    s = services()
    answers = Answers(generator=s.settings.generator, model=s.settings.generator_model or None)
    return await run_external(
        health, version=__version__, pings=s.pings(), workers=s.worker_statuses, answers=answers, timeout=5
    )


@router.get(
    "/health",
    operation_id="health",
    response_model_exclude_none=True,
    responses={
        **responses(Unauthenticated, Forbidden),
        503: {"model": Health, "description": "a dependency or an expected worker is down"},
    },
)
async def endpoint(request: Request, response: Response, probe: Probe | None = None) -> Health:
    """Check whether the service answers; with a credential, also whether each dependency and worker does.

    Without a credential, the response has the status and version only, and nothing is asked. `probe=ready` needs a
    credential: an API key, a token, or `HEALTH_TOKEN`.
    """
    found = await {True: deep, False: shallow}[await sees_details(request, probe)]()
    response.status_code = {"ok": 200, "down": 503}[found.status]
    return found


handler = handler_of(router)
