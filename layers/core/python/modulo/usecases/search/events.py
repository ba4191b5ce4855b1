"""The course of a search, from the cache or through the pipeline, as events."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from modulo.domain.answers.answer_options import PLAIN
from modulo.domain.errors import InvalidRequest
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.search.search_events import Answered
from modulo.usecases.search import cache
from modulo.usecases.search.pipeline import SearchPipeline
from modulo.usecases.search.reasoning import plan_of, reason
from modulo.usecases.search.response import cached_output, search_output
from modulo.usecases.search.run import SearchRun

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from modulo.domain.answers.answer_options import AnswerOptions
    from modulo.domain.retrieval.filters import Filter
    from modulo.domain.search.search import SearchInput
    from modulo.domain.search.search_events import SearchEvent
    from modulo.domain.tenancy.identity import Principal
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.search.ports import SearchPorts


def search_events(
    principal: Principal,
    request: SearchInput,
    ports: SearchPorts,
    *,
    limits: SearchLimits,
    later: Callable[[Callable[[], None]], None],
    streams: bool,
    options: AnswerOptions = PLAIN,
) -> Generator[SearchEvent, None, None]:
    """The events of a search; only the last, `TokensUsed` and `Answered`, unless it `streams`.

    The caller's last grants, from the cache, say where to search. One query then re-checks the grants and liveness;
    only live hits under the current grants are returned. Each part of a question with several parts is
    searched for and answered on its own. `later` runs what the answer need not wait for.

    Raises:
        InvalidRequest: a filter or a number is not allowed.
        NotFound: one of the collections is not visible to the caller.
        QuotaExceeded: too few tokens are left for the answer.
        Unavailable, Throttled, BadModelAnswer: a part that no answer can do without failed.
    """
    started, plan = perf_counter(), plan_of(request)
    run = SearchRun(
        principal=principal,
        request=request,
        collections=request.collections,
        where=_filter(request, limits),
        questions=[part.question for part in plan.first_round()],
        plan=plan,
        ports=ports,
        limits=limits,
        streams=streams,
        options=options,
    )
    pipeline = SearchPipeline.of(run)

    cached = cache.read(run)
    grants = cached.grants
    if grants is None or cached.result is not None:
        grants = run.timed("metadata", lambda: ports.grants.grants(principal, run.collections))
    if cached.result is not None and cached.result[0] == grants:
        ports.metrics.count("rag_cache_hits_total", kind="result")
        output = cached_output(cached.result[1], run, seconds=perf_counter() - started)
        yield from pipeline.stream.cached(output)
        yield Answered(output=output)
        return

    with pipeline.budget.settled():
        retrieved = pipeline.retrieve(grants, cached.vectors, cached.matching)
        retrieved, steps = yield from reason(pipeline, retrieved)
    output = search_output(run, retrieved, steps, seconds=perf_counter() - started)

    # A result is reusable only if nothing was published during the retrieval and no stage was left out.
    reusable = output if retrieved.unchanged and not run.degraded and run.reusable else None
    yield from pipeline.stream.rest(output)
    yield Answered(output=output)
    later(partial(cache.remember, run, retrieved, cached.vectors, result=reusable))


def _filter(request: SearchInput, limits: SearchLimits) -> Filter:
    config = request.config_metadata
    for name, most in (("top_k", config.top_k), ("top_k_rerank", config.top_k_rerank)):
        if (most or 0) > limits.max_top_k:
            raise InvalidRequest.field(f"config_metadata.{name}", f"must be at most {limits.max_top_k}")
    return parse_filters(config.filters)
