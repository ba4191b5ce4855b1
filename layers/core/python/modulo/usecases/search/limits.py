"""Within which limits a search works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modulo.domain.retrieval.search_defaults import NO_DEFAULTS

if TYPE_CHECKING:
    from modulo.domain.retrieval.search_defaults import SearchDefaults
    from modulo.domain.tenancy.quota import Quotas


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """What one search may take; times to live in seconds."""

    max_top_k: int
    embedding_seconds: float
    rerank_candidates: int
    rerank_seconds: float
    result_ttl: int
    embedding_ttl: int
    rerank_model: str
    quotas: Quotas
    defaults: SearchDefaults = NO_DEFAULTS
    """What the settings say where neither a request nor its collection does."""
