"""Collections as models, so that any client that can choose a model can choose a collection."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from modulo.domain.collections.collection import CollectionEntry
from modulo.domain.errors import InvalidRequest, NotFound

PREFIX: Final = "modulo/"
MAX_MODELS: Final = 1_000
"""How many a client is told of."""


@dataclass(frozen=True, slots=True)
class CollectionModel:
    """A model and the collection that it answers from."""

    name: str
    collection: CollectionEntry


def collection_models(entries: Sequence[CollectionEntry]) -> list[CollectionModel]:
    """Each as a model: by its name, or by its id where several have the name."""
    named = Counter(entry.name.casefold() for entry in entries)
    return [
        CollectionModel(PREFIX + (entry.name if named[entry.name.casefold()] == 1 else str(entry.id)), entry)
        for entry in entries
    ]


def id_in(model: str) -> UUID | None:
    """The collection's id, where the model is named by it."""
    try:
        return UUID(name_in(model))
    except ValueError:
        return None


def name_in(model: str) -> str:
    """The collection's name, or its id."""
    return model.removeprefix(PREFIX)


def require_one(model: str, entries: Sequence[CollectionEntry]) -> CollectionModel:
    """The one model of that name.

    Raises:
        NotFound: there is none.
        InvalidRequest: there are several.
    """
    if not entries or not model.startswith(PREFIX):
        raise NotFound(f"There is no model {model[:300]!r}: a model is {PREFIX}<name or id of a collection>.")
    if len(entries) > 1:
        ids = ", ".join(f"{PREFIX}{entry.id}" for entry in entries)
        raise InvalidRequest.field("model", f"several collections have this name; use one of {ids}")
    return CollectionModel(model, entries[0])
