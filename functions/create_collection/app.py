"""POST /collections."""

from modulo.domain.collections.collection import Collection, NewCollection
from modulo.domain.errors import Conflict, QuotaExceeded
from modulo.runtime.endpoint import APIRouter, IdempotencyKey, Writer, announces, handler_of, responses, run, services
from modulo.usecases.create_collection import create_collection

router = APIRouter(tags=["collections"], dependencies=announces("collections"))


@router.post(
    "/collections", operation_id="create_collection", status_code=201, responses=responses(Conflict, QuotaExceeded)
)
async def endpoint(caller: Writer, body: NewCollection, idempotency_key: IdempotencyKey = None) -> Collection:
    """Create a collection that the caller owns."""
    s = services()
    return await run(
        create_collection,
        caller,
        body,
        idempotency_key=idempotency_key,
        collections=s.collections,
        clock=s.clock,
        embedding_model=s.settings.embedding_model,
        limit=s.settings.quotas.collections,
        max_top_k=s.settings.max_top_k,
    )


handler = handler_of(router, uses=("collections", "clock"))
