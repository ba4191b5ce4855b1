"""A benchmark's report of tables and figures, and the command line that runs one benchmark."""

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
"""Decides how a figure is compared with an earlier run's: see `comparison`. Times default to seconds."""
Target = tuple[Literal["<", "<=", "==", ">=", ">"], float]
Cell = str | int | float | None
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
WIDTH = 160


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that later runs are compared with; `target` is the value it must reach."""

    value: float
    unit: str
    kind: Kind
    target: Target | None = None
    tolerance: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        return None if self.target is None else OPERATORS[self.target[0]](self.value, self.target[1])


@dataclass(frozen=True, slots=True)
class Table:
    """A printed table."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: each row is a bar, possibly stacked from several parts."""

    title: str
    unit: str
    rows: Sequence[tuple[str, Mapping[str, float]]]
    target: float | None = None


@dataclass(slots=True)
class Report:
    """Results of one question. `known` holds figures of questions that ran before it, or of the committed run."""

    question: str = ""
    known: Mapping[str, Figure] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    charts: list[Bars] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add a table; cells are text, numbers or None."""
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
        """Add a figure under a unique key such as `search.cached.p50`.

        `tolerance` overrides the kind's default: 0.2 allows a change by a factor of 1.2 either way.

        Raises:
            ValueError: the key exists already.
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
        """Add a bar chart: one number for each row, or its parts by name; `target` becomes a vertical line."""
        parts = [(label, value if isinstance(value, Mapping) else {"": value}) for label, value in rows]
        self.charts.append(Bars(title, unit, parts, target))

    def note(self, text: str) -> None:
        """Add a remark that helps to interpret the numbers."""
        self.notes.append(text)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` is between 0 and 1."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99."""
    return percentile(seconds, 0.5), percentile(seconds, 0.95), percentile(seconds, 0.99)


def run_question(measure: Callable[[Report], None]) -> None:
    """Command line of one benchmark: run it, print its report, and write it to the file given by `--into`."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--into", type=Path, help="write the result to this file, as JSON")
    parser.add_argument("--known", type=Path, help="read figures of earlier questions from this file")
    options = parser.parse_args()
    known = figures_of(json.loads(options.known.read_text())) if options.known else {}
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
    if options.into:
        answer = {**as_json(report), "seconds": seconds, "calibration_seconds": calibration, "failure": failure}
        options.into.write_text(json.dumps(answer))
    sys.exit(1 if failure else 0)


def as_json(report: Report) -> dict[str, Any]:
    """The report as a JSON object."""
    return {name: value for name, value in asdict(report).items() if name != "known"}


def figures_of(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Figure]:
    """Figures from their JSON form."""
    return {
        key: Figure(**{**figure, "target": tuple(figure["target"]) if figure["target"] else None})
        for key, figure in stored.items()
    }


def print_report(report: Report) -> None:
    """Print a report on the terminal."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.rule(escape(report.question), align="left")
    for table in report.tables:
        console.print(render_table(table))
    for note in report.notes:
        console.print(f"• {note}", markup=False, highlight=False)
    for key, figure in report.figures.items():
        if figure.target:
            state = "[green]met   [/]" if figure.met else "[red]missed[/]"
            op, number = figure.target
            detail = f"{format_cell(figure.value)} {figure.unit}; target {op} {format_cell(number)}"
            console.print(f"{state} {escape(key)}: {escape(detail)}", highlight=False)


def format_cell(value: Cell) -> str:
    """A cell as text; numbers with three significant digits."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def render_table(table: Table) -> RichTable:
    """The table for the terminal."""
    rendered = RichTable(title=escape(table.title), title_justify="left")
    for number, column in enumerate(table.columns):
        cells = [row[number] for row in table.rows]
        numeric = any(isinstance(cell, int | float) for cell in cells)
        rendered.add_column(escape(column), justify="right" if numeric else "left")
    for row in table.rows:
        rendered.add_row(*(escape(format_cell(cell)) for cell in row))
    return rendered
