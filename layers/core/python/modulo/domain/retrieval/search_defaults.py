"""Defaults of searches: what counts where a request does not say how to search.

What a request says comes first, then what its collection says, then the service's settings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from pydantic import Field, StringConstraints

from modulo.domain.model import STORABLE
from modulo.domain.request_model import RequestModel
from modulo.domain.retrieval.fusion import TEXT_WEIGHT, SearchType
from modulo.domain.retrieval.grouping import GroupBy

DEFAULT_TOP_K: Final = 10
MAX_INSTRUCTIONS: Final = 20_000
"""Characters."""
ContextTokens = Annotated[int, Field(ge=0, le=10_000)]
Value = TypeVar("Value")


class SearchDefaults(RequestModel):
    """How a collection is searched where a request does not say; null leaves it to the service's settings."""

    search_type: SearchType | None = Field(default=None, description="hybrid, dense or text")
    text_weight: float | None = Field(default=None, ge=0, le=1, description="what words count in a hybrid search")
    score_threshold: float | None = Field(
        default=None, ge=0, le=1, description="passages whose chunk has a lower score are left out"
    )
    top_k: int | None = Field(default=None, ge=1, description="passages to return; at most MAX_TOP_K")
    group_by: GroupBy | None = Field(default=None, description="what top_k counts: passage or document")
    context_tokens: ContextTokens | None = Field(
        default=None, description="tokens of neighbours, chunks beside passages, that join them"
    )
    instructions: Annotated[str, StringConstraints(max_length=MAX_INSTRUCTIONS, pattern=STORABLE)] | None = Field(
        default=None, description="to the language model: on the tone, length or form of answers"
    )


NO_DEFAULTS: Final = SearchDefaults()
BUILT_IN: Final = SearchDefaults(
    search_type=SearchType.hybrid,
    text_weight=TEXT_WEIGHT,
    score_threshold=0.0,
    top_k=DEFAULT_TOP_K,
    group_by=GroupBy.passage,
    context_tokens=0,
    instructions="",
)
"""Where nobody says anything."""


def first_said(read: Callable[[SearchDefaults], Value | None], *said: SearchDefaults) -> Value:
    """What the first of them says that says anything."""
    value = next((found for one in (*said, BUILT_IN) if (found := read(one)) is not None), None)
    assert value is not None  # noqa: S101 - BUILT_IN says everything
    return value


def of_all(collections: Sequence[SearchDefaults]) -> SearchDefaults:
    """What several collections searched at once say together of the search as a whole.

    As many passages, and as many tokens of neighbours, as any of them wants; passages are counted by document, or the
    model instructed, as all of them say, and as nobody says where they disagree.
    """
    return SearchDefaults(
        top_k=max((one.top_k for one in collections if one.top_k is not None), default=None),
        context_tokens=max((one.context_tokens for one in collections if one.context_tokens is not None), default=None),
        group_by=_agreed([one.group_by for one in collections]),
        instructions=_agreed([one.instructions for one in collections]),
    )


def _agreed(said: Sequence[Value | None]) -> Value | None:
    return said[0] if said and all(one == said[0] for one in said) else None
