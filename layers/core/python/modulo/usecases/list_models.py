"""What a client that knows models only may choose from: collections, and models that embed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection_model import MAX_MODELS, collection_models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.collections.collection_model import CollectionModel
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def list_models(
    principal: Principal, *, collections: Collections, embedding_models: Sequence[EmbeddingModel]
) -> list[CollectionModel | EmbeddingModel]:
    """The newest of the collections that the caller may search, each as a model; behind them those that embed."""
    entries = collections.list_entries(principal, name=None, limit=MAX_MODELS)
    return [*collection_models(entries), *embedding_models]
