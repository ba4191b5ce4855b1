"""Collections as models: what a client that knows models only may choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection_model import MAX_MODELS, collection_models

if TYPE_CHECKING:
    from modulo.domain.collections.collection_model import CollectionModel
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def list_models(principal: Principal, *, collections: Collections) -> list[CollectionModel]:
    """The newest of the collections that the caller may search, each as a model."""
    return collection_models(collections.list_entries(principal, name=None, limit=MAX_MODELS))
