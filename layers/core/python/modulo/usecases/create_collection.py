"""Create a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection import CollectionDraft
from modulo.domain.errors import InvalidRequest
from modulo.usecases.idempotency import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from modulo.domain.collections.collection import Chunking, Collection, EmbeddingModel, NewCollection
    from modulo.domain.retrieval.search_defaults import SearchDefaults
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections


def create_collection(
    principal: Principal,
    request: NewCollection,
    *,
    idempotency_key: str | None,
    collections: Collections,
    clock: Clock,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    limit: int,
    max_top_k: int,
) -> Collection:
    """Create a collection that the caller owns; `limit` is how many a user may own.

    Raises:
        InvalidRequest: the embedding model is not configured, or searches would return too many passages.
        Conflict: the caller owns a collection of that name.
        QuotaExceeded: the caller owns `limit` collections.
    """
    model = embedding_model(request.embedding_model)
    if model is None:
        raise InvalidRequest.field("embedding_model", "is not a model this service offers")
    require_chunks_fit(model, request.chunking)
    require_top_k(request.search_defaults, max_top_k)
    draft = CollectionDraft(
        id=new_id(principal, "collection", idempotency_key),
        name=request.name,
        model=model,
        chunking=request.chunking,
        dedicated=request.dedicated,
        description=request.description,
        metadata=request.metadata,
        expires_after_days=request.expires_after_days,
        search_defaults=request.search_defaults,
    )
    return collections.create_collection(principal, draft, limit=limit, now=clock.now())


def require_top_k(defaults: SearchDefaults | None, most: int) -> None:
    """Refuse more passages than a search may return.

    Raises:
        InvalidRequest: there are more.
    """
    if defaults and (defaults.top_k or 0) > most:
        raise InvalidRequest.field("search_defaults.top_k", f"must be at most {most}")


def require_chunks_fit(model: EmbeddingModel, chunking: Chunking) -> None:
    """Refuse chunks that are longer than what the model reads.

    Raises:
        InvalidRequest: they are longer.
    """
    most = model.max_tokens * 9 // 10  # chunk sizes are estimates, which may be a little low
    if chunking.max_tokens > most:
        raise InvalidRequest.field("chunking.max_tokens", f"must be at most {most}: {model.name} reads no more")
