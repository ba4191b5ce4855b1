"""Risk and coverage: how many answers are wrong if only the surest are given (El-Yaniv and Wiener 2010)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from modulo.cli.evaluation.found import Found
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.measures import is_right


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """If only answers at least as sure as `confidence` are given: their share of all questions, and how many err."""

    confidence: float
    coverage: float
    risk: float


def risk_coverage(questions: Sequence[GoldenQuestion], found: Sequence[Found]) -> list[OperatingPoint]:
    """A point for each confidence that an answer has, the surest first; the last one is the run as it is.

    An answer to an unanswerable question is wrong. Questions that are answerable, but whose answers are not known, are
    left out.
    """
    judged = [pair for pair in zip(questions, found, strict=True) if pair[0].answers or pair[0].unanswerable]
    given = sorted((pair for pair in judged if pair[1].answered), key=lambda pair: -pair[1].confidence)
    points: list[OperatingPoint] = []
    answered = wrong = 0
    for confidence, pairs in groupby(given, key=lambda pair: pair[1].confidence):
        for question, one in pairs:
            answered += 1
            wrong += not is_right(question, one)
        points.append(OperatingPoint(confidence, answered / len(judged), wrong / answered))
    return points


def area(points: Sequence[OperatingPoint]) -> float | None:
    """The mean risk over the coverages that the run reaches (AURC of Geifman et al. 2019); lower is better."""
    if not points:
        return None
    widths = [
        point.coverage - before for point, before in zip(points, [0.0, *(p.coverage for p in points)], strict=False)
    ]
    return sum(point.risk * width for point, width in zip(points, widths, strict=True)) / points[-1].coverage
