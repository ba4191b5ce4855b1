"""Passages for several questions to one collection, as one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modulo.usecases.search.search import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from modulo.domain.search.search import FoundDocument, QueryResult, SearchInput
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


@dataclass(frozen=True, slots=True)
class FoundPassages:
    """Passages, best first, each once; and their documents by id."""

    passages: Sequence[QueryResult]
    documents: Mapping[UUID, FoundDocument]


def search_several(
    principal: Principal,
    requests: Sequence[SearchInput],
    ports: SearchPorts,
    *,
    limits: SearchLimits,
    later: Callable[[Callable[[], None]], None],
) -> FoundPassages:
    """Search for each; of a passage that several questions find the best score counts.

    All ask for passages only, and for the same number of them: as many as one of them finds are the answer.

    Raises:
        As `search`.
    """
    best: dict[UUID, QueryResult] = {}
    documents: dict[UUID, FoundDocument] = {}
    most = 0
    for request in requests:
        output = search(principal, request, ports, limits=limits, later=later)
        most = max(most, len(output.query_results))
        documents |= {document.document_id: document for document in output.documents}
        for found in output.query_results:
            known = best.get(found.chunk.chunk_id)
            if known is None or known.score < found.score:
                best[found.chunk.chunk_id] = found
    ranked = sorted(best.values(), key=lambda found: -found.score)
    return FoundPassages(ranked[:most], documents)
