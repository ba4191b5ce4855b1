"""Answer a question from a collection, with checked citations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.search.search_events import Answered
from modulo.usecases.search.events import search_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from modulo.domain.search.search import SearchInput, SearchOutput
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def search(
    principal: Principal,
    request: SearchInput,
    ports: SearchPorts,
    *,
    limits: SearchLimits,
    later: Callable[[Callable[[], None]], None],
) -> SearchOutput:
    """Retrieve, rerank, generate and check; from the cache where nothing has changed since.

    `later` runs what the answer need not wait for.

    Raises:
        InvalidRequest: a filter or a number is not allowed.
        NotFound: no such collection is visible to the caller.
        QuotaExceeded: too few tokens are left for the answer.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    *_, last = search_events(principal, request, ports, limits=limits, later=later, streams=False)
    assert isinstance(last, Answered)  # noqa: S101 - as every search ends
    return last.output
