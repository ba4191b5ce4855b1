"""POST /collections/{collection_id}/dead-letters/{letter_id}/retry."""

from uuid import UUID

from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.domain.letter import DeadLetter
from modulo.runtime.endpoint import APIRouter, Writer, handler_of, responses, run, services
from modulo.usecases.retry_dead_letter import retry_dead_letter

router = APIRouter()


@router.post(
    "/collections/{collection_id}/dead-letters/{letter_id}/retry",
    operation_id="retry_dead_letter",
    status_code=202,
    responses=responses(Conflict, Forbidden, NotFound),
)
async def endpoint(caller: Writer, collection_id: UUID, letter_id: UUID) -> DeadLetter:
    """Have what was given up tried once more."""
    s = services()
    queues = {"ingest_file": s.ingests, "fetch_url": s.fetches, "purge": s.purges}
    return await run(
        retry_dead_letter,
        caller,
        collection_id,
        letter_id,
        metadata=s.metadata,
        queues=queues,
        clock=s.clock,
    )


handler = handler_of(router)
