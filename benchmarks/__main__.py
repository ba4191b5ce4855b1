"""Run all benchmarks, or the named ones: `python -m benchmarks [search,growth]`."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from benchmarks.chart import render_svg
from benchmarks.comparison import changes, missing_figures
from benchmarks.machine import ROOT, machine_facts
from benchmarks.report import WIDTH, Bars, Figure, Table, format_cell, render_table

FOLDER = Path(__file__).parent
RESULT = FOLDER / "results" / "latest.json"
QUESTIONS = (
    "search",
    "throughput",
    "ingestion",
    "small_files",
    "parsing",
    "round_trips",
    "growth",
    "doors",
    "cold_start",
    "peers",
    "cost",
)
"""Modules and packages of this folder, in the order they run; each defines `measure`."""
LONG_QUESTIONS = ("faults", "large", "soak", "replica", "hnsw")
"""Run only by name, because they take long."""


def answer(name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Run one question in a process of its own and return its result; `failure` is set if the process failed."""
    with tempfile.TemporaryDirectory(prefix="modulo-benchmark-") as folder:
        into, given = Path(folder, "result.json"), Path(folder, "known.json")
        given.write_text(json.dumps(known))
        command = [sys.executable, "-m", f"benchmarks.{name}", "--into", str(into), "--known", str(given)]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if into.exists():
            result: dict[str, Any] = json.loads(into.read_text())
            return result
    failure = f"exited with code {done.returncode}"
    empty: dict[str, Any] = {"tables": [], "figures": {}, "charts": [], "notes": []}
    return {"question": name, **empty, "seconds": 0.0, "calibration_seconds": 1.0, "failure": failure}


def committed() -> dict[str, Any] | None:
    """The result committed last; None if there is none."""
    path = RESULT.relative_to(ROOT).as_posix()
    shown = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def main(only: Sequence[str]) -> int:
    """Run the questions, write the results and compare them with the committed ones; the exit code."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    available = (*QUESTIONS, *LONG_QUESTIONS)
    unknown = set(only) - set(available)
    if unknown:
        console.print(f"Unknown questions: {', '.join(sorted(unknown))}. Available: {', '.join(available)}")
        return 2
    before = committed()
    started = perf_counter()
    known: dict[str, Any] = dict(_figures(before)) if before else {}
    run: dict[str, Any] = {"machine": machine_facts(), "questions": {}}
    for name in only or QUESTIONS:
        result = run["questions"][name] = answer(name, known)
        known |= result["figures"]
    run["seconds"] = perf_counter() - started
    write(run, "long" if set(only) == set(LONG_QUESTIONS) else "partial" if only else RESULT.stem)
    if before:
        compare(console, before, run)
    return conclude(console, run)


def write(run: Mapping[str, Any], stem: str) -> None:
    """Write the result and its chart. Partial runs go to files of their own."""
    path = RESULT.with_stem(stem)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(run, indent=1) + "\n")
    charts = [Bars(**chart) for question in run["questions"].values() for chart in question["charts"]]
    machine = run["machine"]
    subtitle = f"{machine['date'][:10]}, {machine['cores']} cores, {machine['processor']}, Python {machine['python']}"
    path.with_suffix(".svg").write_text(render_svg(charts, subtitle=subtitle))


def compare(console: Console, before: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Print the figures that changed since the committed result."""
    moved = [change for change in changes(before, run) if change.verdict != "same"]
    rows = [(one.key, one.before, one.now, one.ratio, one.verdict) for one in moved]
    if rows:
        columns = ("figure", "before", "now", "now ÷ before", "")
        title = f"Changed since {before['machine']['commit'][:7]} (times and rates scaled by each run's calibration)"
        console.print(render_table(Table(title, columns, rows)))
    else:
        console.print(f"No figure changed beyond its tolerance since {before['machine']['commit'][:7]}.")
    for key in missing_figures(before, run):
        console.print(f"No longer measured: {key}", markup=False)


def conclude(console: Console, run: Mapping[str, Any]) -> int:
    """Print missed targets and failed questions; the exit code."""
    targets = [(key, Figure(**figure)) for key, figure in _figures(run) if figure["target"]]
    missed = [(key, figure) for key, figure in targets if not figure.met]
    console.print(f"{len(targets) - len(missed)} of {len(targets)} targets met, in {run['seconds']:.0f} s.")
    for key, figure in missed:
        op, number = figure.target or ("", None)
        line = f"  missed {key}: {format_cell(figure.value)} {figure.unit}, target {op} {format_cell(number)}"
        console.print(line, markup=False)
    failed = [name for name, question in run["questions"].items() if question["failure"]]
    if failed:
        console.print(f"[red]Failed: {', '.join(failed)}[/]")
    return 1 if failed else 0


def _figures(run: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for question in run["questions"].values():
        yield from question["figures"].items()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="comma-separated names of questions")
    sys.exit(main([name for name in parser.parse_args().only.split(",") if name]))
