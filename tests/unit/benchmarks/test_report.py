"""The benchmarks' report, comparison and chart."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import FOLDER, LONG_QUESTIONS, QUESTIONS
from benchmarks.chart import render_svg
from benchmarks.comparison import changes, missing_figures
from benchmarks.report import Bars, Figure, Kind, Report, as_json, figures_of, format_cell, percentile, spread
from benchmarks.traffic import busy_seconds


def run_of(report: Report, calibration: float = 1.0) -> dict[str, Any]:
    stored = json.loads(json.dumps(as_json(report)))
    return {"questions": {"one": {**stored, "calibration_seconds": calibration}}}


def verdict(kind: Kind, before: float, now: float, *, pace: float = 1.0, **more: Any) -> tuple[float | None, str]:
    runs = []
    for value, calibration in ((before, 1.0), (now, pace)):
        report = Report()
        report.figure("key", value, "unit", kind, **more)
        runs.append(run_of(report, calibration))
    (change,) = changes(*runs)
    return change.ratio, change.verdict


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert spread(values) == (50, 95, 99)
    assert percentile([3.0], 0.99) == 3.0


@pytest.mark.parametrize(
    ("op", "number", "met"), [("<", 5, False), ("<=", 5, True), ("==", 5, True), (">=", 6, False), (">", 4, True)]
)
def test_a_target_is_met_or_missed(op: Any, number: float, met: bool) -> None:
    assert Figure(5, "x", "ratio", (op, number)).met is met
    assert Figure(5, "x", "ratio").met is None


def test_a_figure_is_measured_once_and_survives_json() -> None:
    report = Report()
    report.figure("a", 1.5, "s", "time", target=("<", 2))
    with pytest.raises(ValueError, match="twice"):
        report.figure("a", 2, "s", "time")
    assert figures_of(json.loads(json.dumps(as_json(report)["figures"]))) == report.figures


def test_counts_are_compared_exactly_and_times_by_the_pace_of_the_machine() -> None:
    assert verdict("count", 2, 2) == (1.0, "same")
    assert verdict("count", 2, 3) == (1.5, "worse")
    assert verdict("count", 0, 1) == (None, "worse")
    assert verdict("time", 1, 3) == (3.0, "worse")
    assert verdict("time", 1, 3, pace=3.0) == (1.0, "same")
    assert verdict("rate", 100, 30) == (0.3, "worse")
    assert verdict("rate", 90, 30, pace=3.0) == (1.0, "same")
    assert verdict("bytes", 100, 60)[1] == "better"


def test_ratios_move_within_their_tolerance_and_better_is_what_the_target_says() -> None:
    assert verdict("ratio", 1, 1.2)[1] == "same"
    assert verdict("ratio", 1, 1.2, tolerance=0.1)[1] == "changed"
    assert verdict("ratio", 1, 2, target=(">", 1))[1] == "better"
    assert verdict("ratio", 1, 2, target=("<", 1))[1] == "worse"


def test_figures_that_are_gone_are_named() -> None:
    before, now = Report(), Report()
    before.figure("gone", 1, "x", "count")
    assert missing_figures(run_of(before), run_of(now)) == ["gone"]
    assert missing_figures(run_of(before), {"questions": {}}) == []


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), ("a", "a"), (1234, "1,234"), (2.0, "2"), (1234.5, "1,234"), (0.01234, "0.0123")]
)
def test_numbers_are_written_with_three_digits(value: Any, text: str) -> None:
    assert format_cell(value) == text


def test_overlapping_work_counts_once() -> None:
    assert busy_seconds([(0, 2), (1, 3), (5, 6), (1.5, 1.7)], 0, 10) == 4
    assert busy_seconds([(0, 4)], 1, 3) == 2
    assert busy_seconds([], 0, 1) == 0


def test_the_chart_is_an_svg_of_all_panels() -> None:
    one = Bars("Time <1>", "ms", [("a & b", {"x": 1.0, "y": 2.0}), ("c", {"x": 0.0})], target=2.5)
    two = Bars("Rate", "1/s", [("d", {"": 5.0})])
    root = ET.fromstring(render_svg([one, two], subtitle="here"))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a & b", "d", "here", "x", "y"} <= set(texts)
    assert len([node for node in root.iter() if node.get("class") == "target"]) == 1


def test_every_module_that_measures_is_a_listed_question() -> None:
    paths = {path.stem: path for path in FOLDER.glob("*.py")} | {
        path.parent.name: path for path in FOLDER.glob("*/__main__.py")
    }
    measuring = {name for name, path in paths.items() if "def measure(report: Report) -> None:" in path.read_text()}
    assert measuring == {*QUESTIONS, *LONG_QUESTIONS}
