"""Compares a run with an earlier one by ratios, never by absolute times."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report import Figure, Kind, figures_of

TOLERANCE: Mapping[Kind, float] = {"count": 0.0, "ratio": 0.3, "time": 1.0, "rate": 1.0, "bytes": 0.25}
"""Relative change up to which a figure counts as unchanged: 1.0 allows twice or half."""


@dataclass(frozen=True, slots=True)
class Change:
    """Change of a figure. `ratio` is the new value divided by the earlier one; None if the earlier one was 0.

    Times and rates are scaled by each run's calibration before they are compared.
    """

    key: str
    before: float
    now: float
    ratio: float | None
    verdict: str


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Changes of all figures that both runs contain. Runs are JSON objects as in `results/latest.json`."""
    earlier = dict(_figures(before))
    return [
        _change(key, *earlier[key], figure, calibration)
        for key, (figure, calibration) in _figures(now)
        if key in earlier and earlier[key][0].kind == figure.kind
    ]


def missing_figures(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Keys of the earlier run's figures that the same questions no longer report."""
    have = dict(_figures(now))
    asked = {name: question for name, question in before["questions"].items() if name in now["questions"]}
    return [key for key, _ in _figures({"questions": asked}) if key not in have]


def _figures(run: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Figure, float]]]:
    for question in run["questions"].values():
        for key, figure in figures_of(question["figures"]).items():
            yield key, (figure, question["calibration_seconds"])


def _change(key: str, before: Figure, before_calibration: float, now: Figure, now_calibration: float) -> Change:
    speedup = before_calibration / now_calibration  # above 1: the machine is faster now
    scale = {"time": speedup, "rate": 1 / speedup}.get(now.kind, 1.0)
    ratio = now.value * scale / before.value if before.value else None
    return Change(key, before.value, now.value, ratio, _verdict(before, now, ratio))


def _verdict(before: Figure, now: Figure, ratio: float | None) -> str:
    tolerance = TOLERANCE[now.kind] if now.tolerance is None else now.tolerance
    if now.value == before.value or (ratio is not None and 1 / (1 + tolerance) <= ratio <= 1 + tolerance):
        return "same"
    more_is_better = _more_is_better(now)
    if more_is_better is None:
        return "changed"
    more = now.value > before.value if ratio is None else ratio > 1
    return "better" if more == more_is_better else "worse"


def _more_is_better(figure: Figure) -> bool | None:
    if figure.target and figure.target[0] != "==":
        return figure.target[0] in (">", ">=")
    return {"rate": True, "ratio": None}.get(figure.kind, False)
