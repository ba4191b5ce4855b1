"""How questions with several parts are answered, and in which form."""

from enum import StrEnum

from pydantic import Field

from modulo.domain.request_model import RequestModel


class ReasoningStrategy(StrEnum):
    """In which order the parts of a question are answered."""

    decomposition = "decomposition"
    iterative = "iterative"
    hierarchical = "hierarchical"
    causal = "causal"


class FormatType(StrEnum):
    """The form of a structured answer."""

    standard = "standard"
    cot_reasoning = "cot_reasoning"
    comparative = "comparative"
    summary = "summary"

    @property
    def names_parts(self) -> bool:
        """Whether it tells each part of a question, answered or not."""
        return self in (FormatType.cot_reasoning, FormatType.comparative)


class CotConfig(RequestModel):
    """Chain of thought: how a question is taken apart, and what its steps may take."""

    enabled: bool = Field(default=True, description="false answers the question whole")
    max_reasoning_depth: int = Field(default=3, ge=1, le=5, description="steps at most")
    reasoning_strategy: ReasoningStrategy = Field(
        default=ReasoningStrategy.decomposition,
        description="decomposition: all parts at once, but for those that need an earlier answer; iterative: one part "
        "after the other, each knowing the answer before; hierarchical: the parts, then the whole question from what "
        "they found; causal: the question, then the cause of each answer",
    )
    context_preservation: bool = Field(default=True, description="later steps know what earlier answers rest on")
    token_budget_multiplier: float = Field(
        default=2.0, ge=1, le=10, description="of the tokens that one step may take; steps beyond are not asked"
    )
    evaluation_threshold: float = Field(
        default=0.6, ge=0, le=1, description="a step of lower confidence does not count as answered"
    )
