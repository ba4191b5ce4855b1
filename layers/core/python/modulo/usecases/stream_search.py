"""Answer a question from a collection, and tell of the answer while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.usecases.search.events import search_events

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from modulo.domain.search.search import SearchInput
    from modulo.domain.search.search_events import SearchEvent
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def stream_search(
    principal: Principal,
    request: SearchInput,
    ports: SearchPorts,
    *,
    limits: SearchLimits,
    later: Callable[[Callable[[], None]], None],
) -> Generator[SearchEvent, None, None]:
    """The events of a search as soon as they exist; a sentence is told once its citations hold.

    Whoever reads them closes the iterator, wherever it stopped: that ends the generation and gives back the tokens
    that were not used. `later` runs what no event waits for.

    Raises:
        InvalidRequest, NotFound, QuotaExceeded: before the first event.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed; before any event.
    """
    return search_events(principal, request, ports, limits=limits, later=later, streams=True)
