"""What an extract gains, in log odds, that tells the kind of thing which the question is for."""

from dataclasses import dataclass

from modulo.domain.answers.answer_kinds import asks_figure, asks_why, tells_figure
from modulo.domain.answers.extracts import Extract
from modulo.domain.answers.limits import Limit, limit_of

CAUSE_WEIGHT = 1.5
"""A sentence that states a cause."""
FIGURE_WEIGHT = 1.5
"""One that tells a time, a number or an amount."""
LIMIT_WEIGHT = 3.0
"""One that tells the limit: rerankers expect it in the words of the question."""


@dataclass(frozen=True, slots=True)
class AskedKind:
    """The kind of thing that a question is for, read of it once for all extracts."""

    why: bool
    figure: bool
    limit: Limit | None

    def weight_of(self, one: Extract) -> float:
        """The sum of what it gains."""
        return (
            CAUSE_WEIGHT * (self.why and one.tells_why)
            + FIGURE_WEIGHT * (self.figure and tells_figure(one.quoted))
            + LIMIT_WEIGHT * self.limit_told_by(one)
        )

    def limit_told_by(self, one: Extract) -> bool:
        """Whether a sentence tells the limit that is asked for; a row tells it by its name."""
        return self.limit is not None and not one.row_words and self.limit.told_by(one.quoted, one.scored_text)


def asked_kind(question: str) -> AskedKind:
    """The kind of thing that the question is for."""
    return AskedKind(asks_why(question), asks_figure(question), limit_of(question))
