"""Embed a collection anew, with another model or chunking, while searches go on."""

import logging
from collections.abc import Callable
from uuid import UUID

from modulo.domain.collection import EmbeddingModel
from modulo.domain.errors import InvalidRequest, Unavailable
from modulo.domain.identity import Principal
from modulo.domain.reembedding import NewReembedding, Reembedding, ReembeddingDraft
from modulo.domain.transfer import IngestRequest
from modulo.ports import Clock, Metadata, Queue
from modulo.usecases.create_collection import require_fitting
from modulo.usecases.idempotency import new_id

log = logging.getLogger(__name__)


def start_reembedding(
    principal: Principal,
    collection_id: UUID,
    request: NewReembedding,
    *,
    idempotency_key: str | None,
    metadata: Metadata,
    ingests: Queue,
    clock: Clock,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    keep_seconds: int,
) -> Reembedding:
    """Build another index of the collection beside the one that searches see.

    For `keep_seconds` after the switch it can be rolled back.

    Raises:
        InvalidRequest: the embedding model is not configured, or does not read chunks as long as that.
        NotFound: no such collection is visible to the caller.
        Forbidden: this needs the owner.
        Conflict: one is under way, or can still be rolled back.
    """
    collection = metadata.get_collection(principal, collection_id)
    model = embedding_model(request.embedding_model or collection.embedding_model)
    if model is None:
        raise InvalidRequest.field("embedding_model", "is not a model this service offers")
    require_fitting(model, request.chunking or collection.chunking)
    draft = ReembeddingDraft(
        id=new_id(principal, f"reembedding:{collection_id}", idempotency_key),
        model=model,
        chunking=request.chunking,
        auto_switch=request.auto_switch,
        keep_seconds=keep_seconds,
    )
    started = metadata.start_reembedding(principal, collection_id, draft, now=clock.now())
    try:
        for ref in started.queue:
            ingests.send(IngestRequest(ref).body())
    except Unavailable as error:
        log.warning("files left to the sweep: %s", error.detail)
    return started.reembedding
