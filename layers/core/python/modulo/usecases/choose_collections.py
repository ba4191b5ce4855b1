"""The collections that a question is put to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.usecases.get_model import get_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from modulo.domain.identity import Principal
    from modulo.ports.metadata.collections import Collections


def choose_collections(
    principal: Principal, model: str, named: Sequence[UUID] | None, *, collections: Collections
) -> tuple[UUID, ...]:
    """Those named, whose search says whether the caller may see them; else the one that the model stands for.

    Raises:
        NotFound: the model stands for none that the caller may search.
        InvalidRequest: several collections have its name.
    """
    return tuple(named) if named else (get_model(principal, model, collections=collections).collection.id,)
