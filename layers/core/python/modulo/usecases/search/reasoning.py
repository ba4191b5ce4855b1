"""Reasoning: the parts of a question, answered round by round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modulo.domain.answers.decomposition import MAX_DEPTH, Part, decompose
from modulo.domain.answers.reasoning_options import CotConfig, FormatType, ReasoningStrategy
from modulo.domain.errors import InvalidRequest
from modulo.domain.search.reasoning import Plan
from modulo.usecases.search.cache import CachedVectors

if TYPE_CHECKING:
    from collections.abc import Generator

    from modulo.domain.search.reasoning import Step
    from modulo.domain.search.search import SearchInput
    from modulo.domain.search.search_events import SearchEvent
    from modulo.usecases.search.pipeline import SearchPipeline
    from modulo.usecases.search.retrieval import Embedded, Retrieved


def plan_of(request: SearchInput) -> Plan:
    """How the question is taken apart.

    A search without an answer is for the question as it was asked, unless its parts are asked for.

    Raises:
        InvalidRequest: a form is asked for without a structured answer.
    """
    config, cot = request.config_metadata, request.config_metadata.cot_config or CotConfig()
    if config.format_type is not FormatType.standard and not config.structured_output_enabled:
        raise InvalidRequest.field("config_metadata.format_type", "needs structured_output_enabled")
    asked = config.cot_enabled or config.cot_config is not None
    if config.retrieve_only:  # there are no answers to know
        cot = cot.model_copy(
            update={"context_preservation": False, "reasoning_strategy": ReasoningStrategy.decomposition}
        )
    whole = config.cot_disabled or not cot.enabled or (config.retrieve_only and not asked)
    if whole or cot.reasoning_strategy is ReasoningStrategy.causal:
        return Plan(request.question, (Part(request.question),), _whole(cot) if whole else cot)
    depth = cot.max_reasoning_depth if config.cot_config else MAX_DEPTH
    return Plan(request.question, decompose(request.question, depth), cot)


def _whole(cot: CotConfig) -> CotConfig:
    """One step, whatever the strategy."""
    return cot.model_copy(update={"max_reasoning_depth": 1, "reasoning_strategy": ReasoningStrategy.decomposition})


def reason(
    pipeline: SearchPipeline, retrieved: Retrieved
) -> Generator[SearchEvent, None, tuple[Retrieved, list[Step]]]:
    """What was retrieved in all rounds, and the steps, in the order in which they were answered."""
    run, steps = pipeline.run, (yield from pipeline.answer(retrieved))
    while not run.request.config_metadata.retrieve_only and (later := run.plan.next_round(steps)):
        pipeline.budget.next_round()
        run.questions = [part.question for part in later]
        more = pipeline.retrieve(retrieved.grants, CachedVectors({}), retrieved.matching)
        steps += yield from pipeline.answer(more, answered=len(steps))
        retrieved = replace(
            more,
            embedded=_both(retrieved.embedded, more.embedded),
            complete=retrieved.complete and more.complete,
            unchanged=retrieved.unchanged and more.unchanged,
        )
    if run.plan.concludes and any(step.answer.found for step in steps):
        steps.append((yield from pipeline.conclude(steps)))
    return retrieved, steps


def _both(one: Embedded, other: Embedded) -> Embedded:
    """The vectors of two rounds."""
    return {model: {**one.get(model, {}), **other.get(model, {})} for model in (*one, *other)}
