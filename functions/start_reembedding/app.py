"""POST /collections/{collection_id}/reembedding."""

from uuid import UUID

from modulo.domain.collections.reembedding import NewReembedding, Reembedding
from modulo.domain.errors import Conflict, Forbidden, NotFound
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, Writer, handler_of, responses, run_external, services
from modulo.usecases.start_reembedding import start_reembedding

router = APIRouter(tags=["re-embedding"])
path, errors = "/collections/{collection_id}/reembedding", responses(Conflict, Forbidden, NotFound)


@router.post(path, operation_id="start_reembedding", status_code=202, responses=errors)
async def endpoint(
    caller: Writer, collection_id: UUID, body: NewReembedding, idempotency_key: IdempotencyKey = None
) -> Reembedding:
    """Re-embed a collection with another model or chunking, while searches go on with the present index."""
    s = services()
    return await run_external(
        start_reembedding,
        caller,
        collection_id,
        body,
        idempotency_key=idempotency_key,
        collections=s.collections,
        reembeddings=s.reembeddings,
        ingests=s.ingests,
        clock=s.clock,
        embedding_model=s.settings.embedding_model,
        keep_seconds=s.settings.reembedding_keep_seconds,
    )


handler = handler_of(router, uses=("collections", "reembeddings", "ingests", "clock"))
