"""POST /collections/{collection_id}/dead-letters/retry."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.operations.dead_letter import DeadLetter
from modulo.domain.pagination import Listing
from modulo.runtime.endpoint import After, APIRouter, PageSize, Writer, handler_of, responses, run_external, services
from modulo.usecases.retry_dead_letter import ResendPorts
from modulo.usecases.retry_dead_letters import retry_dead_letters

router = APIRouter(tags=["dead-letters"])


@router.post(
    "/collections/{collection_id}/dead-letters/retry",
    operation_id="retry_dead_letters",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(
    caller: Writer, collection_id: UUID, after: After = None, limit: PageSize = 50
) -> Listing[DeadLetter]:
    """Retry a page of the waiting dead letters: those that a retry can help."""
    s = services()
    ports = ResendPorts(
        ingestion=s.ingestion,
        fetching=s.fetching,
        queues={"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges},
        clock=s.clock,
        deadline_seconds=s.settings.ingest_deadline_seconds,
    )
    return await run_external(
        retry_dead_letters,
        caller,
        collection_id,
        after=after,
        limit=limit,
        dead_letters=s.dead_letters,
        ports=ports,
    )


handler = handler_of(router, uses=("ingests", "fetches", "purges", "dead_letters", "ingestion", "fetching", "clock"))
