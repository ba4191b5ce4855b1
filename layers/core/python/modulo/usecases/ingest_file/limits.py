"""How ingestion is cut into steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.tenancy.quota import Quotas


@dataclass(frozen=True, slots=True)
class IndexLimits:
    """How indexing is cut into steps; times in seconds."""

    embedding_batch: int
    embedding_concurrency: int
    embedding_ttl: int
    vector_batch: int
    run_seconds: int
    """After so long, an attempt no longer waits for a model that is throttled."""


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """How one file is ingested, and within which limits; times in seconds."""

    max_bytes: int
    part_pages: int
    part_bytes: int
    index: IndexLimits
    quotas: Quotas
    lease_seconds: int
    deadline_seconds: int
    attempts: int
    recognises: bool = False
    """Whether parsers recognise the text of scanned pages."""
