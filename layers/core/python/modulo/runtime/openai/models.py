"""Models of `/v1`."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from modulo.domain.collections.collection import EmbeddingModel
from modulo.domain.collections.collection_model import CollectionModel

OWNER = "modulo"


class Model(BaseModel):
    """A collection as a model, or one of the models that embed, whose age nobody knows: `created` is 0."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = OWNER


class Models(BaseModel):
    """All of them; OpenAI has no pages here."""

    object: Literal["list"] = "list"
    data: list[Model]


def model_answer(found: CollectionModel | EmbeddingModel) -> Model:
    """One of them."""
    if isinstance(found, EmbeddingModel):
        return Model(id=found.name, created=0)
    return Model(id=found.name, created=int(found.collection.created_at.timestamp()))


def models_answer(found: Sequence[CollectionModel | EmbeddingModel]) -> Models:
    """All of them."""
    return Models(data=[model_answer(one) for one in found])
