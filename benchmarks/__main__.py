"""Answer every question, or those that are named: `python -m benchmarks [search,growth]`."""

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

from benchmarks.chart import drawn
from benchmarks.comparing import absent, changes
from benchmarks.machine import ROOT, facts
from benchmarks.measuring import WIDTH, Bars, Figure, Table, as_drawn, written

FOLDER = Path(__file__).parent
RESULT = FOLDER / "results" / "latest.json"
SIGN = "def measure(report: Report) -> None:"
FIRST = ("search", "throughput", "ingestion", "parsing", "counts", "growth", "cold_start", "peers", "cost")
LONG = ("faults", "large")
"""Asked only by name: each takes longer than all others."""


def names() -> list[str]:
    """Every question: a module of this folder that measures, or a package whose `__main__` does."""
    modules = {path.stem: path for path in FOLDER.glob("*.py") if path.stem != "__main__"}
    packages = {path.parent.name: path for path in FOLDER.glob("*/__main__.py")}
    found = [name for name, path in {**modules, **packages}.items() if SIGN in path.read_text()]
    order = [*FIRST, *sorted(set(found) - set(FIRST))]
    return sorted(found, key=order.index)


def answered(name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """A question's result, found by a process of its own, which prints it; one that broke says how."""
    with tempfile.TemporaryDirectory(prefix="modulo-benchmark-") as folder:
        into, given = Path(folder, "result.json"), Path(folder, "known.json")
        given.write_text(json.dumps(known))
        command = [sys.executable, "-m", f"benchmarks.{name}", "--into", str(into), "--known", str(given)]
        done = subprocess.run(command, cwd=ROOT, check=False)
        if into.exists():
            result: dict[str, Any] = json.loads(into.read_text())
            return result
    failure = f"ended with exit code {done.returncode}"
    empty: dict[str, Any] = {"tables": [], "figures": {}, "charts": [], "notes": []}
    return {"question": name, **empty, "seconds": 0.0, "calibration_seconds": 1.0, "failure": failure}


def committed() -> dict[str, Any] | None:
    """The result that was committed last, if there is one."""
    path = RESULT.relative_to(ROOT).as_posix()
    shown = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, capture_output=True, text=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


def main(only: Sequence[str]) -> int:
    """Run, print, compare and write; the exit code."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    unknown = set(only) - set(names())
    if unknown:
        console.print(f"No such question: {', '.join(sorted(unknown))}; there are {', '.join(names())}")
        return 2
    before = committed()
    started = perf_counter()
    known: dict[str, Any] = dict(_figures(before)) if before else {}
    run: dict[str, Any] = {"machine": facts(), "questions": {}}
    for name in only or [name for name in names() if name not in LONG]:
        result = run["questions"][name] = answered(name, known)
        known |= result["figures"]
    run["seconds"] = perf_counter() - started
    write(run, "long" if set(only) == set(LONG) else "partial" if only else RESULT.stem)
    if before:
        compare(console, before, run)
    return conclude(console, run)


def write(run: Mapping[str, Any], stem: str) -> None:
    """Write the result and its chart; a part of the questions does not replace the whole."""
    path = RESULT.with_stem(stem)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(run, indent=1) + "\n")
    charts = [Bars(**chart) for question in run["questions"].values() for chart in question["charts"]]
    machine = run["machine"]
    told = f"{machine['date'][:10]}, {machine['cores']} cores, {machine['processor']}, Python {machine['python']}"
    path.with_suffix(".svg").write_text(drawn(charts, subtitle=told))


def compare(console: Console, before: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Print what moved since the last committed result."""
    moved = [change for change in changes(before, run) if change.verdict != "same"]
    rows = [(one.key, one.before, one.now, one.ratio, one.verdict) for one in moved]
    if rows:
        columns = ("figure", "before", "now", "now ÷ before", "")
        title = f"Moved since {before['machine']['commit'][:7]} (times and rates by each run's own calibration)"
        console.print(as_drawn(Table(title, columns, rows)))
    else:
        console.print(f"Nothing moved since {before['machine']['commit'][:7]} beyond the tolerances.")
    for key in absent(before, run):
        console.print(f"No longer measured: {key}", markup=False)


def conclude(console: Console, run: Mapping[str, Any]) -> int:
    """Print which targets were missed and which questions failed; the exit code."""
    targets = [(key, Figure(**figure)) for key, figure in _figures(run) if figure["target"]]
    missed = [(key, figure) for key, figure in targets if not figure.met]
    console.print(f"{len(targets) - len(missed)} of {len(targets)} targets met, in {run['seconds']:.0f} s.")
    for key, figure in missed:
        op, number = figure.target or ("", None)
        told = f"  missed {key}: {written(figure.value)} {figure.unit}, target {op} {written(number)}"
        console.print(told, markup=False)
    failed = [name for name, question in run["questions"].items() if question["failure"]]
    if failed:
        console.print(f"[red]Failed: {', '.join(failed)}[/]")
    return 1 if failed else 0


def _figures(run: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for question in run["questions"].values():
        yield from question["figures"].items()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="names of questions, divided by commas")
    sys.exit(main([name for name in parser.parse_args().only.split(",") if name]))
