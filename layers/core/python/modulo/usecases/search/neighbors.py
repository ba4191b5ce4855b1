"""Neighbours of passages, read from the vector store once it is known which passages are the best."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modulo.domain.errors import Throttled, Unavailable
from modulo.domain.retrieval.neighbors import joined, wanted
from modulo.ports.deadline import remaining, within
from modulo.usecases.search.retrieval import meets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.retrieval.passage import Passage
    from modulo.usecases.search.run import SearchRun

log = logging.getLogger(__name__)

MAX_SECONDS: Final = 2.0
"""How long a search waits for neighbours; it is as good without them as one that asks for none."""


def with_neighbors(run: SearchRun, passages: Sequence[Passage]) -> Sequence[Passage]:
    """The passages with the chunks beside them that meet the filter, as many tokens as the search asks for.

    They are of the passages' own generations, which are live and visible to the caller. The passages stay as they are
    where the vector store does not answer in time, which is recorded.
    """
    tokens = run.context_tokens
    numbers = wanted(passages, tokens=tokens)
    if not numbers:
        return passages
    spaces, of_document = [grant.space for grant in run.grants], {one.hit.ref: one for one in passages}
    try:
        with within(remaining(MAX_SECONDS)):
            chunks = run.timed("neighbors", lambda: run.ports.vectors.chunks_at(spaces, numbers))
    except (Unavailable, Throttled) as error:
        named = ", ".join(map(str, run.collections))
        log.warning("search in collections %s goes on without neighbours of its passages: %s", named, error.detail)
        run.degraded.add("neighbors")
        return passages
    met = {
        ref: [
            one
            for one in of_file
            if meets(run.where, replace(of_document[ref], hit=replace(of_document[ref].hit, chunk=one)))
        ]
        for ref, of_file in chunks.items()
    }
    return joined(passages, met, tokens=tokens)
