"""Re-embeddings of all collections of a tenant."""

from typing import Any
from uuid import UUID

from modulo.domain.collections.reembedding import NewReembedding
from modulo.domain.errors import Conflict, NotFound
from modulo.domain.tenancy.identity import Principal, Scope
from modulo.services import services
from modulo.usecases.start_reembedding import start_reembedding

PAGE = 20


def reembed_collections(
    tenant_id: UUID, request: NewReembedding | None = None, after: UUID | None = None
) -> dict[str, Any]:
    """Start a re-embedding of each collection of a page, those behind `after`, on behalf of its owner.

    The ids of the `started` ones, those `skipped` with the reason, and in `next` where the next page begins.

    Raises:
        InvalidRequest: the embedding model is not configured, or does not read chunks of that length.
    """
    s = services()
    page = s.reembeddings.list_owned(tenant_id, after=after, limit=PAGE)
    started: list[UUID] = []
    skipped: dict[str, str] = {}
    for found in page:
        try:
            start_reembedding(
                Principal(tenant_id, found.owner_id, frozenset(Scope)),
                found.id,
                request or NewReembedding(),
                idempotency_key=None,
                collections=s.collections,
                reembeddings=s.reembeddings,
                ingests=s.ingests,
                clock=s.clock,
                embedding_model=s.settings.embedding_model,
                keep_seconds=s.settings.reembedding_keep_seconds,
            )
        except (Conflict, NotFound) as error:  # one is under way, or the collection was deleted meanwhile
            skipped[str(found.id)] = error.detail
        else:
            started.append(found.id)
    return {"started": started, "skipped": skipped, "next": page[-1].id if len(page) == PAGE else None}
