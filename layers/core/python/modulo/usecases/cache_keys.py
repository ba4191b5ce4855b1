"""The keys of cached values: the tenant always comes first, so that no tenant can meet another's.

A value tells under which grant or by which model it was made, and is good only where that still holds: so
all of them can be asked for before anything is known of the collection.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from modulo.domain.identity import Principal
from modulo.domain.search import SearchInput
from modulo.domain.transfer import Claim


def collection_prefix(tenant_id: UUID, collection_id: UUID) -> str:
    """The group of what is remembered of a collection's searches, with which its keys begin."""
    return f"search:{tenant_id}:{collection_id}:"


def grant_key(principal: Principal, collection_id: UUID) -> str:
    """The key of what a user was granted last."""
    return f"{collection_prefix(principal.tenant_id, collection_id)}grant:{principal.user_id}"


def result_key(tenant_id: UUID, request: SearchInput, models: Sequence[str]) -> str:
    """The key of a result: any change of the request or the models changes it."""
    normalised = request.model_copy(update={"question": " ".join(request.question.split())})
    digest = _digest(*models, normalised.model_dump_json())
    return f"{collection_prefix(tenant_id, request.collection_id)}result:{digest}"


def embedding_key(tenant_id: UUID, text: str) -> str:
    """The key of a question's vector."""
    return f"embedding:{tenant_id}:{_digest(text)}"


def chunk_group(tenant_id: UUID, collection_id: UUID, file_id: UUID | None = None) -> str:
    """The group of all vectors of a file's texts, or of a collection's."""
    return f"chunk:{tenant_id}:{collection_id}:{file_id or ''}"


def chunk_key(claim: Claim, text: str) -> str:
    """The key of the vector of a text of a file."""
    ref = claim.ref
    group = chunk_group(ref.tenant_id, ref.collection_id, ref.file_id)
    return f"{group}:{_digest(claim.space.model.model_dump_json(), text)}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
