"""How the steps led to the answer, in the field names that clients know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.answers.outcome import wording
from modulo.domain.search.reasoning import counts
from modulo.domain.search.search import CotOutput, ReasoningStep, SourceSummary, StructuredAnswer
from modulo.usecases.search.citation import citations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modulo.domain.answers.answer import Answer
    from modulo.domain.answers.outcome import Outcome
    from modulo.domain.retrieval.passage import Passage
    from modulo.domain.search.reasoning import Step
    from modulo.usecases.search.run import SearchRun


def structured_answer(run: SearchRun, steps: Sequence[Step], answer: Answer) -> StructuredAnswer:
    """The answer with its confidence and, where asked for, the steps."""
    answered = sum(counts(step, run.threshold) for step in steps)
    return StructuredAnswer(
        answer=answer.text,
        confidence=confidence(steps),
        citations=citations_of(answer),
        reasoning_steps=reasoning_steps(run, steps) if run.tells_steps else None,
        format_type=run.form,
        metadata={
            "strategy": run.plan.config.reasoning_strategy.value,
            "parts": len(steps),
            "answered": answered,
        },
    )


def cot_output(run: SearchRun, steps: Sequence[Step], answer: Answer) -> CotOutput:
    """How the steps led to the answer."""
    cited = {number: _names(one.passage for one in step.answer.cited) for number, step in enumerate(steps, start=1)}
    return CotOutput(
        original_question=run.request.question,
        final_answer=answer.text,
        reasoning_steps=reasoning_steps(run, steps),
        source_summary=SourceSummary(
            all_sources=_names(passage for step in steps for passage in step.passages),
            primary_sources=_names(one.passage for one in answer.cited),
            source_usage_by_step=cited,
        ),
        total_confidence=confidence(steps),
        token_usage=sum(step.tokens for step in steps),
        total_execution_time=sum(step.seconds for step in steps),
        reasoning_strategy=run.plan.config.reasoning_strategy,
    )


def confidence(steps: Sequence[Step]) -> float | None:
    """The lowest of the steps' confidences; None where a step has none."""
    known = [step.confidence for step in steps if step.confidence is not None]
    return min(known) if len(known) == len(steps) else None


def token_warning(steps: Sequence[Step]) -> str | None:
    """Which parts were not asked."""
    left = [str(number) for number, step in enumerate(steps, start=1) if not step.asked]
    if not left:
        return None
    return (
        f"Of {len(steps)} parts, these were not answered, as cot_config.token_budget_multiplier leaves no tokens for "
        f"them: {', '.join(left)}."
    )


def reasoning_steps(run: SearchRun, steps: Sequence[Step]) -> tuple[ReasoningStep, ...]:
    """Each step with its evidence."""
    return tuple(
        ReasoningStep(
            step_number=number,
            question=step.question,
            context_used=tuple(cited.passage.text for cited in step.answer.cited),
            source_attributions=citations_of(step.answer),
            intermediate_answer=told(step.answer, step.answer.outcome, run.language),
            confidence_score=step.confidence,
            reasoning_trace=_trace(step, run.threshold),
            execution_time=step.seconds,
            token_usage=step.tokens,
        )
        for number, step in enumerate(steps, start=1)
    )


def told(answer: Answer, outcome: Outcome, language: str | None) -> str:
    """The answer, or what is said in its place."""
    return answer.text if answer.found else wording(outcome, language)


def _trace(step: Step, threshold: float) -> str:
    """What became of a step."""
    if not step.asked:
        return "not asked: the token budget was used up"
    trace = f"{len(step.passages)} passages found, {len(step.answer.cited)} cited"
    if step.answer.found and not counts(step, threshold):
        trace += f"; not part of the answer, as its confidence is below {threshold:g}"
    return trace


def _names(passages: Iterable[Passage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(passage.document.name for passage in passages))
