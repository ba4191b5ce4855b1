"""The risk-coverage curve, by hand."""

import pytest

from modulo.cli.evaluation.found import Found
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.risk_coverage import OperatingPoint, area, risk_coverage

YES = GoldenQuestion(id="1", question="?", answers=("ten",))
NO = GoldenQuestion(id="2", question="?", unanswerable=True)
UNJUDGED = GoldenQuestion(id="3", question="?", documents={"a": 1})


def answered(text: str, confidence: float) -> Found:
    return Found(answer=text, answered=True, confidence=confidence)


def test_the_surest_answers_come_first() -> None:
    questions = [YES, NO, YES, YES, UNJUDGED]
    found = [answered("ten", 0.9), answered("nine", 0.5), answered("ten", 0.5), Found(answer=""), answered("x", 1)]
    points = risk_coverage(questions, found)
    assert points == [OperatingPoint(0.9, 0.25, 0), OperatingPoint(0.5, 0.75, pytest.approx(1 / 3))]
    assert area(points) == pytest.approx((0.25 * 0 + 0.5 / 3) / 0.75)


def test_without_answers_there_is_no_curve() -> None:
    assert risk_coverage([YES], [Found(answer="")]) == []
    assert area([]) is None
