"""Re-embed a collection with another model or chunking, while searches go on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from modulo.domain.collections.reembedding import ReembeddingDraft
from modulo.domain.errors import InvalidRequest, Unavailable
from modulo.domain.operations.messages import IngestRequest
from modulo.usecases.create_collection import require_chunks_fit
from modulo.usecases.idempotency import new_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.collections.reembedding import NewReembedding, Reembedding
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.collections import Collections
    from modulo.ports.metadata.reembedding import Reembeddings
    from modulo.ports.queue import Queue

log = logging.getLogger(__name__)


def start_reembedding(
    principal: Principal,
    collection_id: UUID,
    request: NewReembedding,
    *,
    idempotency_key: str | None,
    collections: Collections,
    reembeddings: Reembeddings,
    ingests: Queue,
    clock: Clock,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    keep_seconds: int,
) -> Reembedding:
    """Build a second index of the collection beside the one that searches use.

    For `keep_seconds` after the switch it can be rolled back.

    Raises:
        InvalidRequest: the embedding model is not configured, or does not read chunks of that length.
        NotFound: no such collection is visible to the caller.
        Forbidden: this needs the owner.
        Conflict: a re-embedding is in progress, or can still be rolled back.
    """
    collection = collections.get_collection(principal, collection_id)
    wanted = collection.embedding_model if request.embedding_model is None else request.embedding_model
    model = embedding_model(wanted)
    if model is None:
        raise InvalidRequest.field("embedding_model", "is not a model this service offers")
    require_chunks_fit(model, request.chunking or collection.chunking)
    draft = ReembeddingDraft(
        id=new_id(principal, f"reembedding:{collection_id}", idempotency_key),
        model=model,
        chunking=request.chunking,
        auto_switch=request.auto_switch,
        keep_seconds=keep_seconds,
    )
    started = reembeddings.start_reembedding(principal, collection_id, draft, now=clock.now())
    try:
        for ref in started.queue:
            ingests.send(IngestRequest(ref).body())
    except Unavailable as error:
        log.warning(
            "re-embedding of collection %s: files not queued; the sweep will retry: %s", collection_id, error.detail
        )
    return started.reembedding
