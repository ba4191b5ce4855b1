"""POST /collections/{collection_id}/dead-letters/retry."""

from uuid import UUID

from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.letter import DeadLetters
from modulo.runtime.endpoint import After, APIRouter, PageSize, Writer, handler_of, responses, run, services
from modulo.usecases.retry_dead_letters import retry_dead_letters

router = APIRouter()


@router.post(
    "/collections/{collection_id}/dead-letters/retry",
    operation_id="retry_dead_letters",
    status_code=202,
    responses=responses(Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, after: After = None, limit: PageSize = 50) -> DeadLetters:
    """Have a page of what was given up tried once more: those that wait and that a retry can help."""
    s = services()
    queues = {"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges}
    return await run(
        retry_dead_letters,
        caller,
        collection_id,
        after=after,
        limit=limit,
        metadata=s.metadata,
        queues=queues,
        clock=s.clock,
    )


handler = handler_of(router)
