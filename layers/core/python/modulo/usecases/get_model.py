"""Show a model: a collection, or one that embeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection import CollectionEntry
from modulo.domain.collections.collection_model import CollectionModel, id_in, name_in, require_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def get_model(
    principal: Principal,
    model: str,
    *,
    collections: Collections,
    embedding_model: Callable[[str], EmbeddingModel | None],
) -> CollectionModel | EmbeddingModel:
    """The model of that name, or by the id of its collection.

    Raises:
        NotFound, InvalidRequest: as `get_collection_model`.
    """
    return embedding_model(model) or get_collection_model(principal, model, collections=collections)


def get_collection_model(principal: Principal, model: str, *, collections: Collections) -> CollectionModel:
    """The model that stands for a collection, by its name or the collection's id.

    Raises:
        NotFound: the caller may search no such collection.
        InvalidRequest: several collections have the name.
    """
    collection_id = id_in(model)
    if collection_id is not None:
        found = collections.get_collection(principal, collection_id)
        return CollectionModel(model, CollectionEntry(found.id, found.name, found.created_at))
    return require_one(model, collections.list_entries(principal, name=name_in(model), limit=2))
