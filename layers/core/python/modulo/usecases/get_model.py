"""The collection that a model stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection import CollectionEntry
from modulo.domain.collections.collection_model import CollectionModel, id_in, name_in, require_one

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def get_model(principal: Principal, model: str, *, collections: Collections) -> CollectionModel:
    """The model of that name, or by the id of its collection.

    Raises:
        NotFound: the caller may search no such collection.
        InvalidRequest: several collections have the name.
    """
    collection_id = id_in(model)
    if collection_id is not None:
        found = collections.get_collection(principal, collection_id)
        return CollectionModel(model, CollectionEntry(found.id, found.name, found.created_at))
    return require_one(model, collections.list_entries(principal, name=name_in(model), limit=2))
