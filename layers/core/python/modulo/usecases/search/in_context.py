"""Answer a question as the turns before it make it clear, and where asked to, tell of the answer meanwhile."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from modulo.domain.answers.follow_up import recent
from modulo.domain.search.search_events import Answered, TokensUsed
from modulo.usecases.search.events import search_events
from modulo.usecases.search.follow_up import rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from modulo.domain.answers.answer_options import AnswerOptions
    from modulo.domain.search.search import SearchInput
    from modulo.domain.search.search_events import SearchEvent
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.follow_up import Rewritten
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def answer_in_context(
    principal: Principal,
    request: SearchInput,
    options: AnswerOptions,
    ports: SearchPorts,
    *,
    limits: SearchLimits,
    window_tokens: int,
    later: Callable[[Callable[[], None]], None],
    streams: bool,
) -> Generator[SearchEvent, None, None]:
    """The events of a search for the question as it can be understood alone.

    The question is rewritten, and the answer written, with as many of the last turns as the window has room for.
    A bound of the answer's tokens holds for the whole of it, so that such a question is not taken apart.

    Raises:
        As `search_events`.
    """
    options = replace(options, history=recent(options.history, window_tokens))
    found = rewritten(principal, request, options.history, ports, limits=limits)
    config = request.config_metadata
    if options.max_tokens is not None:
        config = config.model_copy(update={"cot_disabled": True})
    asked = request.model_copy(update={"question": found.question, "config_metadata": config})
    asking = search_events(principal, asked, ports, limits=limits, later=later, streams=streams, options=options)
    with closing(asking) as events:
        for event in events:
            yield told(event, request, found)


def told(event: SearchEvent, request: SearchInput, found: Rewritten) -> SearchEvent:
    """The event with what the rewriting took and told."""
    if isinstance(event, TokensUsed):
        return TokensUsed(
            prompt_tokens=event.prompt_tokens + found.tokens.prompt,
            completion_tokens=event.completion_tokens + found.tokens.completion,
            charged=event.charged + found.tokens.total,
        )
    if isinstance(event, Answered) and found.question != request.question:
        return Answered(output=event.output.model_copy(update={"rewritten_query": found.question}))
    return event
