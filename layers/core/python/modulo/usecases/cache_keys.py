"""The keys of cached values: the tenant always comes first, so that no tenant can meet another's."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from modulo.domain.collection import EmbeddingModel
from modulo.domain.search import SearchInput
from modulo.domain.transfer import Claim, Grant


def collection_prefix(tenant_id: UUID, collection_id: UUID) -> str:
    """The group of all results of a collection, with which their keys begin."""
    return f"search:{tenant_id}:{collection_id}:"


def result_key(grant: Grant, request: SearchInput, models: Sequence[str]) -> str:
    """The key of a result: any change of content, request or model changes it."""
    normalised = request.model_copy(update={"question": " ".join(request.question.split())})
    digest = _digest(*models, grant.space.model.model_dump_json(), normalised.model_dump_json())
    return f"{collection_prefix(grant.space.tenant_id, grant.space.collection_id)}{grant.version}:{digest}"


def embedding_key(tenant_id: UUID, model: EmbeddingModel, text: str) -> str:
    """The key of a question's vector."""
    return f"embedding:{tenant_id}:{_digest(model.model_dump_json(), text)}"


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
