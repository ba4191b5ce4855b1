"""One evaluation: one or two setups asked the same questions, their measures and how they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any

from modulo.cli.evaluation.bootstrap import RESAMPLES, SEED, Difference, Estimate, difference, estimate
from modulo.cli.evaluation.found import Found
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.measures import MEASURES, shares
from modulo.cli.evaluation.missing import Missing
from modulo.cli.evaluation.risk_coverage import area, risk_coverage
from modulo.cli.evaluation.searches import Setup


@dataclass(frozen=True, slots=True)
class Run:
    """What a setup found for each question."""

    setup: Setup
    found: Sequence[Found]
    missing: Missing = field(default_factory=Missing)
    """What the questions name and the collection does not hold."""

    @property
    def seconds(self) -> list[float]:
        """How long each search took that was not answered from the cache."""
        return [one.seconds for one in self.found if not one.cached]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The questions, and one or two runs over them."""

    questions: Sequence[GoldenQuestion]
    runs: Sequence[Run]
    seed: int = SEED
    resamples: int = RESAMPLES

    def estimates(self, run: Run) -> dict[str, Estimate]:
        """The run's measures by name."""
        added = shares(self.questions, run.found)
        return {name: estimate(one, seed=self.seed, resamples=self.resamples) for name, one in added.items()}

    def differences(self) -> dict[str, Difference]:
        """How much larger each measure is in the second run; empty where there is none."""
        if len(self.runs) < 2:
            return {}
        before, after = (shares(self.questions, run.found) for run in self.runs)
        return {
            name: difference(before[name], after[name], seed=self.seed, resamples=self.resamples)
            for name in MEASURES
            if name in before and name in after
        }

    def as_json(self) -> dict[str, Any]:
        """All that was measured, and each reply."""
        return {
            "questions": len(self.questions),
            "unanswerable": sum(question.unanswerable for question in self.questions),
            "seed": self.seed,
            "resamples": self.resamples,
            "runs": [self._run_as_json(run) for run in self.runs],
            "differences": {name: asdict(one) for name, one in self.differences().items()},
        }

    def _run_as_json(self, run: Run) -> dict[str, Any]:
        points = risk_coverage(self.questions, run.found)
        pairs = zip(self.questions, run.found, strict=True)
        return {
            **asdict(run.setup),
            "missing": run.missing.as_json(),
            "measures": {name: asdict(one) for name, one in self.estimates(run).items()},
            "seconds": {"p50": percentile(run.seconds, 0.5), "p95": percentile(run.seconds, 0.95)},
            "cached": len(run.found) - len(run.seconds),
            "tokens": sum(one.tokens for one in run.found),
            "degraded": degradations(run.found),
            "stage_seconds": stage_seconds(run.found),
            "risk_coverage": [asdict(point) for point in points],
            "area_under_risk_coverage": area(points),
            "replies": [_reply(*pair) for pair in pairs],
        }


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile; None without values."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)] if values else None


def degradations(found: Sequence[Found]) -> dict[str, int]:
    """How many replies were given without each stage that was skipped."""
    named = [stage for one in found for stage in one.degraded]
    return {stage: named.count(stage) for stage in sorted(set(named))}


def stage_seconds(found: Sequence[Found]) -> dict[str, float]:
    """The mean time of each stage, over the replies that were not cached."""
    fresh = [one.stage_seconds for one in found if not one.cached]
    return {
        stage: sum(one.get(stage, 0) for one in fresh) / len(fresh) for stage in sorted({s for f in fresh for s in f})
    }


def _reply(question: GoldenQuestion, found: Found) -> Mapping[str, Any]:
    added = shares([question], [found])
    return {
        "id": question.id,
        "question": question.question,
        "answer": found.answer,
        "answered": found.answered,
        "confidence": found.confidence,
        "documents": list(dict.fromkeys(passage.document for passage in found.passages)),
        "seconds": found.seconds,
        "measures": {name: above / below for name, [(above, below)] in added.items()},
    }
