"""This run beside an earlier one, by ratios: never an absolute time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.measuring import Figure, Kind, figures_of

TOLERANCE: Mapping[Kind, float] = {"count": 0.0, "ratio": 0.3, "time": 1.0, "rate": 1.0, "bytes": 0.25}
"""By how much a figure may move before it counts as changed: 1.0 is twice or half."""


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved; `ratio` is this run's to the earlier one's, None where that was nothing.

    Times and rates are in units of each run's own calibration.
    """

    key: str
    before: float
    now: float
    ratio: float | None
    verdict: str


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Every figure that both runs have, compared as its kind asks for; both as JSON has them."""
    earlier = dict(_figures(before))
    return [
        _change(key, *earlier[key], figure, calibration)
        for key, (figure, calibration) in _figures(now)
        if key in earlier and earlier[key][0].kind == figure.kind
    ]


def absent(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Figures of the earlier run that a question of this run no longer gives."""
    have = dict(_figures(now))
    asked = {name: question for name, question in before["questions"].items() if name in now["questions"]}
    return [key for key, _ in _figures({"questions": asked}) if key not in have]


def _figures(run: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Figure, float]]]:
    for question in run["questions"].values():
        for key, figure in figures_of(question["figures"]).items():
            yield key, (figure, question["calibration_seconds"])


def _change(key: str, before: Figure, before_calibration: float, now: Figure, now_calibration: float) -> Change:
    pace = before_calibration / now_calibration  # above 1: this machine is faster now
    scale = {"time": pace, "rate": 1 / pace}.get(now.kind, 1.0)
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
