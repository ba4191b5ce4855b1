"""Embed texts for a client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modulo.domain.errors import InvalidRequest, NotFound, RefusedByModel
from modulo.domain.text.tokens import estimate
from modulo.usecases.search.token_budget import TokenBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modulo.domain.collections.collection import EmbeddingModel
    from modulo.domain.tenancy.identity import Principal
    from modulo.domain.tenancy.quota import Quotas
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.usage import UsageLedger
    from modulo.ports.models import Embedder


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors in the order of their texts, the model that made them, and the tokens that were charged."""

    vectors: Sequence[Sequence[float]]
    model: EmbeddingModel
    tokens: int


def embed_texts(
    principal: Principal,
    texts: Sequence[str],
    model_name: str,
    *,
    dimensions: int | None,
    embedder: Embedder,
    usage: UsageLedger,
    clock: Clock,
    embedding_model: Callable[[str | None], EmbeddingModel | None],
    quotas: Quotas,
) -> Embedded:
    """The texts' vectors; their estimated tokens count against the caller's tokens of the day.

    Raises:
        NotFound: there is no such model.
        InvalidRequest: the model has other dimensions, or refuses a text.
        QuotaExceeded: too few tokens are left.
    """
    model = embedding_model(model_name)
    if model is None:
        default = embedding_model(None)
        assert default is not None  # noqa: S101 - at least one is configured
        raise NotFound(f"There is no embedding model {model_name[:300]!r}; the default one is {default.name!r}.")
    if dimensions not in (None, model.dimensions):
        raise InvalidRequest.field("dimensions", f"must be {model.dimensions}: the model makes no others")
    tokens = sum(estimate(text) for text in texts)
    budget = TokenBudget(principal, usage, clock.now(), quotas.tokens_per_day)
    with budget.settled():
        reservation = budget.reservation(tokens)
        if reservation is not None:
            budget.record(reservation, reserved=usage.reserve_tokens(principal, reservation))
        try:
            vectors = embedder.embed(model, texts, whole=True)
        except RefusedByModel as error:
            raise InvalidRequest.field("input", f"the model refuses it: {error.detail}") from None
        budget.charge(tokens)
    return Embedded(vectors, model, tokens)
