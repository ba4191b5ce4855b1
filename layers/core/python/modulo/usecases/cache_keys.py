"""The keys of cached values; each begins with the tenant, so that no tenant can read another's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.ingestion.claim import Claim
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.search.search import SearchInput
    from modulo.domain.tenancy.identity import Principal


def collection_prefix(tenant_id: UUID, collection_id: UUID) -> str:
    """The group of all cached values of a collection's searches; keys of those of it alone begin with it."""
    return f"search:{tenant_id}:{collection_id}:"


def grant_key(principal: Principal, collection_id: UUID) -> str:
    """The key of a user's last grant."""
    return f"{collection_prefix(principal.tenant_id, collection_id)}grant:{principal.user_id}"


def result_key(tenant_id: UUID, request: SearchInput, models: Sequence[str]) -> str:
    """The key of a search's result; any change of the request or the models changes it."""
    normalised = request.model_copy(
        update={
            "question": " ".join(request.question.split()),
            "collection_id": None,
            "collection_ids": request.collections,
        }
    )
    digest = _digest(*models, normalised.model_dump_json())
    return f"{_search_prefix(tenant_id, request.collections)}result:{digest}"


def matching_key(principal: Principal, collection_ids: Sequence[UUID], where: Filter) -> str:
    """The key of the files that meet a filter on documents, as far as a user may see them."""
    prefix = _search_prefix(principal.tenant_id, collection_ids)
    return f"{prefix}files:{principal.user_id}:{_digest(repr(where))}"


def _search_prefix(tenant_id: UUID, collection_ids: Sequence[UUID]) -> str:
    """What the keys of a search begin with: its collection's prefix, or what stands for all of them."""
    if len(collection_ids) == 1:
        return collection_prefix(tenant_id, collection_ids[0])
    return f"search:{tenant_id}:{_digest(*map(str, collection_ids))}:"


def embedding_key(tenant_id: UUID, text: str) -> str:
    """The key of a question's vectors."""
    return f"embedding:{tenant_id}:{_digest(text)}"


def chunk_group(tenant_id: UUID, collection_id: UUID, file_id: UUID | None = None) -> str:
    """The group of all cached vectors of a file's texts, or of a collection's."""
    return f"chunk:{tenant_id}:{collection_id}:{file_id or ''}"


def chunk_key(claim: Claim, text: str) -> str:
    """The key of the vector of one text of a file."""
    ref = claim.ref
    group = chunk_group(ref.tenant_id, ref.collection_id, ref.file_id)
    return f"{group}:{_digest(claim.space.model.model_dump_json(), text)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
