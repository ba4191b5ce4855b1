"""What an extract gains, in log odds, that tells the kind of thing which the question is for."""

from modulo.domain.answers.answer_kinds import asks_figure, asks_why, tells_figure
from modulo.domain.answers.extracts import Extract
from modulo.domain.answers.limits import limit_of

CAUSE_WEIGHT = 1.5
"""A sentence that states a cause."""
FIGURE_WEIGHT = 1.5
"""One that tells a time, a number or an amount."""
LIMIT_WEIGHT = 3.0
"""One that tells the limit: rerankers expect it in the words of the question."""


def weight_of_kind(question: str, one: Extract) -> float:
    """The sum of what it gains."""
    return (
        CAUSE_WEIGHT * (asks_why(question) and one.tells_why)
        + FIGURE_WEIGHT * (asks_figure(question) and tells_figure(one.quoted))
        + LIMIT_WEIGHT * tells_limit(question, one)
    )


def tells_limit(question: str, one: Extract) -> bool:
    """Whether a sentence tells the limit that the question is for; a row tells it by its name."""
    limit = limit_of(question)
    return limit is not None and not one.row_words and limit.told_by(one.quoted, one.scored_text)
