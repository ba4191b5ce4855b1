"""POST /collections/{collection_id}/dead-letters/{letter_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.operations.dead_letter import DeadLetter
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run_external, services
from modulo.usecases.retry_dead_letter import ResendPorts, retry_dead_letter

router = APIRouter(tags=["dead-letters"])


@router.post(
    "/collections/{collection_id}/dead-letters/{letter_id}/retry",
    operation_id="retry_dead_letter",
    status_code=202,
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, letter_id: UUID) -> DeadLetter:
    """Retry a dead letter."""
    s = services()
    ports = ResendPorts(
        ingestion=s.ingestion,
        fetching=s.fetching,
        queues={"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges},
        clock=s.clock,
        deadline_seconds=s.settings.ingest_deadline_seconds,
    )
    return await run_external(
        retry_dead_letter,
        caller,
        collection_id,
        letter_id,
        dead_letters=s.dead_letters,
        ports=ports,
    )


handler = handler_of(router, uses=("ingests", "fetches", "purges", "dead_letters", "ingestion", "fetching", "clock"))
