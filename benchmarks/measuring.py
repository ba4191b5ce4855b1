"""What every benchmark has in common: a report of tables and figures, and how a question is run alone."""

import argparse
import json
import operator
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from benchmarks.machine import calibration_seconds

Kind = Literal["count", "ratio", "time", "rate", "bytes"]
"""How a figure is compared with an earlier run's: see `comparing`. Times are in seconds unless the unit says else."""
Target = tuple[Literal["<", "<=", "==", ">=", ">"], float]
Cell = str | int | float | None
HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
WIDTH = 160


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that later runs are compared with; `target` is what it has to reach."""

    value: float
    unit: str
    kind: Kind
    target: Target | None = None
    tolerance: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        return None if self.target is None else HOLDS[self.target[0]](self.value, self.target[1])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they are printed."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel of the chart: each row a bar, of one or several parts."""

    title: str
    unit: str
    rows: Sequence[tuple[str, Mapping[str, float]]]
    target: float | None = None


@dataclass(slots=True)
class Report:
    """What one question found; `known` holds the figures of the questions that ran before it, or of the last run."""

    question: str = ""
    known: Mapping[str, Figure] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    charts: list[Bars] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print these rows, whose cells are text, numbers or None."""
        self.tables.append(Table(title, columns, rows))

    def figure(
        self,
        key: str,
        value: float,
        unit: str,
        kind: Kind,
        *,
        target: Target | None = None,
        tolerance: float | None = None,
    ) -> None:
        """Keep a number under a key of its own, such as `search.cached.p50`.

        `tolerance` replaces the kind's own: 0.2 lets the number move by a factor of 1.2 either way.
        """
        if key in self.figures:
            raise ValueError(f"{key} is measured twice")
        self.figures[key] = Figure(value, unit, kind, target, tolerance)

    def bars(
        self,
        title: str,
        unit: str,
        rows: Sequence[tuple[str, float | Mapping[str, float]]],
        *,
        target: float | None = None,
    ) -> None:
        """Draw a panel: a number a row, or its parts by name; `target` becomes a line across."""
        parts = [(label, value if isinstance(value, Mapping) else {"": value}) for label, value in rows]
        self.charts.append(Bars(title, unit, parts, target))

    def note(self, text: str) -> None:
        """Say what a reader of the numbers has to know."""
        self.notes.append(text)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99."""
    return percentile(seconds, 0.5), percentile(seconds, 0.95), percentile(seconds, 0.99)


def alone(measure: Callable[[Report], None]) -> None:
    """Answer one question, print it, and write it where `--into` says; how every benchmark ends its file."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--into", type=Path, help="a file for the result, as JSON")
    parser.add_argument("--known", type=Path, help="a file with the figures of earlier questions")
    asked = parser.parse_args()
    known = figures_of(json.loads(asked.known.read_text())) if asked.known else {}
    report = Report(question=(parser.description or "").strip(), known=known)
    started, calibrated = perf_counter(), calibration_seconds()
    failure = None
    try:
        measure(report)
    except Exception:
        failure = traceback.format_exc()
    seconds = perf_counter() - started
    calibration = min(calibrated, calibration_seconds())
    print_report(report)
    if failure:
        sys.stderr.write(failure)
    if asked.into:
        answer = {**as_json(report), "seconds": seconds, "calibration_seconds": calibration, "failure": failure}
        asked.into.write_text(json.dumps(answer))
    sys.exit(1 if failure else 0)


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON has it."""
    return {name: value for name, value in asdict(report).items() if name != "known"}


def figures_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """Figures as they were before they became JSON."""
    return {
        key: Figure(**{**figure, "target": tuple(figure["target"]) if figure["target"] else None})
        for key, figure in stored.items()
    }


def print_report(report: Report) -> None:
    """Print a report on the terminal."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.rule(escape(report.question), align="left")
    for table in report.tables:
        console.print(as_drawn(table))
    for note in report.notes:
        console.print(f"• {note}", markup=False, highlight=False)
    for key, figure in report.figures.items():
        if figure.target:
            state = "[green]met   [/]" if figure.met else "[red]missed[/]"
            op, number = figure.target
            told = f"{written(figure.value)} {figure.unit}; target {op} {written(number)}"
            console.print(f"{state} {escape(key)}: {escape(told)}", highlight=False)


def written(value: Cell) -> str:
    """A cell as a reader wants it: three digits that count."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def as_drawn(table: Table) -> RichTable:
    """The table for a terminal."""
    drawn = RichTable(title=escape(table.title), title_justify="left")
    for number, column in enumerate(table.columns):
        cells = [row[number] for row in table.rows]
        numeric = any(isinstance(cell, int | float) for cell in cells)
        drawn.add_column(escape(column), justify="right" if numeric else "left")
    for row in table.rows:
        drawn.add_row(*(escape(written(cell)) for cell in row))
    return drawn
