"""Within which limits a search works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.quota import Quotas


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What one search may take; times to live in seconds."""

    max_top_k: int
    rerank_candidates: int
    rerank_seconds: float
    result_ttl: int
    embedding_ttl: int
    rerank_model: str
    quotas: Quotas
