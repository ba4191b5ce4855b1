"""The evaluation as a table on the terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from modulo.cli.evaluation.bootstrap import Difference, Estimate
from modulo.cli.evaluation.evaluation import Evaluation, Run, degradations, percentile
from modulo.cli.evaluation.measures import MEASURES
from modulo.cli.evaluation.risk_coverage import area, risk_coverage


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print the measures of each run with their 95 % intervals, and how the second differs from the first."""
    refusals = sum(question.unanswerable for question in evaluation.questions)
    console.print(f"{len(evaluation.questions)} questions, of which {refusals} are unanswerable", highlight=False)
    table = Table()
    table.add_column("measure")
    for run in evaluation.runs:
        table.add_column(escape(run.setup.name), justify="right")
    differences = evaluation.differences()
    if differences:
        table.add_column("difference", justify="right")
        table.add_column("p", justify="right")
    estimates = [evaluation.estimates(run) for run in evaluation.runs]
    for name in MEASURES:
        found = [of_run.get(name) for of_run in estimates]
        if any(found):
            changed = _changed(differences.get(name)) if differences else ()
            table.add_row(name, *map(_cell, found), *changed)
    table.add_section()
    for row in zip(*(_facts(evaluation, run) for run in evaluation.runs), strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    console.print(table)
    for run in evaluation.runs:
        for line in run.missing.lines():
            console.print(f"{run.setup.name}: {line}", markup=False)
        for stage, count in degradations(run.found).items():
            console.print(f"{run.setup.name}: {count} replies were given without the {stage}.", markup=False)


def _facts(evaluation: Evaluation, run: Run) -> Iterator[tuple[str, str]]:
    risk = area(risk_coverage(evaluation.questions, run.found))
    yield "area under risk-coverage", "-" if risk is None else f"{risk:.3f}"
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        seconds = percentile(run.seconds, share)
        yield f"seconds, {name}", "all cached" if seconds is None else f"{seconds:.3f}"
    yield "answers from the cache", str(len(run.found) - len(run.seconds))
    yield "tokens", f"{sum(one.tokens for one in run.found):,}"


def _cell(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})"  # noqa: RUF001


def _changed(one: Difference | None) -> tuple[str, str]:
    if one is None:
        return "-", "-"
    p = "-" if one.p is None else f"{one.p:.4f}"
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})", p
