"""What a search needs of the outside."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.ports.cache import Cache
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.search import Grants
    from modulo.ports.metadata.usage import UsageLedger
    from modulo.ports.metrics import Metrics
    from modulo.ports.models import Embedder, Generator, Reranker
    from modulo.ports.vectors import Vectors


@dataclass(frozen=True, slots=True)
class SearchPorts:
    """The ports of a search, which may go without a reranker."""

    grants: Grants
    usage: UsageLedger
    cache: Cache
    vectors: Vectors
    embedder: Embedder
    reranker: Reranker | None
    generator: Generator
    metrics: Metrics
    clock: Clock


SEARCH_PORTS = tuple(port.name for port in fields(SearchPorts))
"""Their names, as a function that searches states what it uses."""
