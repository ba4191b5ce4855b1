"""Create a collection."""

from collections.abc import Callable

from modulo.domain.collection import Chunking, Collection, EmbeddingModel, NewCollection
from modulo.domain.errors import InvalidRequest
from modulo.domain.identity import Principal
from modulo.domain.transfer import CollectionDraft
from modulo.ports import Clock, Metadata
from modulo.usecases.idempotency import new_id


def create_collection(
    principal: Principal,
    request: NewCollection,
    *,
    idempotency_key: str | None,
    metadata: Metadata,
    clock: Clock,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    limit: int,
) -> Collection:
    """Create a collection that the caller owns; `limit` is how many a user may own.

    Raises:
        InvalidRequest: the embedding model is not configured.
        Conflict: the tenant has a collection of that name.
        QuotaExceeded: the caller owns `limit` collections.
    """
    model = embedding_model(request.embedding_model)
    if model is None:
        raise InvalidRequest.field("embedding_model", "is not a model this service offers")
    require_fitting(model, request.chunking)
    draft = CollectionDraft(
        id=new_id(principal, "collection", idempotency_key),
        name=request.name,
        model=model,
        chunking=request.chunking,
        dedicated=request.dedicated,
    )
    return metadata.create_collection(principal, draft, limit=limit, now=clock.now())


def require_fitting(model: EmbeddingModel, chunking: Chunking) -> None:
    """Refuse chunks of which the model would not read the end.

    Raises:
        InvalidRequest: they are too long.
    """
    most = model.max_tokens * 9 // 10  # chunks are measured by an estimate, which may be a little short
    if chunking.max_tokens > most:
        raise InvalidRequest.field("chunking.max_tokens", f"must be at most {most}: more {model.name} would not read")
