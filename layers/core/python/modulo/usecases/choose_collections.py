"""The collections that a question is put to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.collections.collection_model import id_in
from modulo.usecases.get_model import get_collection_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def choose_collections(
    principal: Principal, model: str, named: Sequence[UUID] | None, *, collections: Collections
) -> tuple[UUID, ...]:
    """Those named, else the one that the model stands for.

    Where ids name them, their search says whether the caller may see them.

    Raises:
        NotFound: the caller may search no collection of the model's name.
        InvalidRequest: several collections have its name.
    """
    if named:
        return tuple(named)
    by_id = id_in(model)
    return (by_id or get_collection_model(principal, model, collections=collections).collection.id,)
