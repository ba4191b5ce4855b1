"""Generates the tables of infra/costs.md from measured usage; update the page with `python -m benchmarks.cost_page`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from benchmarks.cost_model import (
    KINDS,
    MILLION,
    PAGES,
    Line,
    MeasuredUsage,
    Usage,
    always_on,
    break_even,
    edge,
    idle,
    largest,
    metrics_in_use,
    pages,
    search,
    total,
)
from benchmarks.deployments import COMPARED, DEPLOYMENTS
from benchmarks.machine import ROOT
from benchmarks.prices import PRICES, REGION

PAGE = ROOT / "infra" / "costs.md"
RESULT = ROOT / "benchmarks" / "results" / "latest.json"
BEGIN, END = "<!-- computed -->", "<!-- end -->"
UNITS = {
    "cpu_seconds": "s",
    "wait_seconds": "s",
    "database_seconds": "s",
    "database_writes": "statements",
    "cache_kb": "KB",
    "vector_reads": "calls",
    "vector_kb": "KB",
    "embedded_tokens": "tokens",
    "prompt_tokens": "tokens",
    "answer_tokens": "tokens",
    "answer_kb": "KB",
    "log_kb": "KB",
    "metrics": "different ones",
    "search_cold_seconds": "s",
    "ingest_cold_seconds": "s",
    "pages_a_file": "pages",
    "search_mb": "MB",
    "ingest_mb": "MB",
    "other_mb": "MB",
}
ROW = re.compile(r"^\| `(?P<key>[a-z_.]+)` \| (?P<value>\S+) \|", re.MULTILINE)
Table = tuple[str, Sequence[str], list[tuple[str | float, ...]]]


def inputs(measured: MeasuredUsage) -> dict[str, float]:
    """All measured values by name, such as `ingest.cpu_seconds`."""
    found: dict[str, float] = {}
    for one in fields(MeasuredUsage):
        value = getattr(measured, one.name)
        if isinstance(value, Usage):
            found |= {f"{one.name}.{part.name}": getattr(value, part.name) for part in fields(Usage)}
        else:
            found[one.name] = value
    return found


def measured_of(values: Mapping[str, float]) -> MeasuredUsage:
    """The measured usage from values by name; missing parts of a usage are 0."""
    made: dict[str, Usage | float] = {}
    for one in fields(MeasuredUsage):
        parts = {part.name: values.get(f"{one.name}.{part.name}", 0.0) for part in fields(Usage)}
        made[one.name] = values[one.name] if one.name in values else Usage(**parts)
    return MeasuredUsage(**made)  # type: ignore[arg-type]  # fields are either usages or numbers


def tables(measured: MeasuredUsage) -> Iterator[Table]:
    """Tables of costs and of their largest parts."""
    rows: list[tuple[str | float, ...]] = []
    for deployment in DEPLOYMENTS:
        things: list[tuple[str, float, list[Line]]] = [
            (f"a million times: {label}", MILLION, search(measured, kind, deployment)) for kind, label in KINDS.items()
        ]
        things.append(("1,000 ingested pages", PAGES, pages(measured, deployment)))
        things.append(("a month without a request", 1, idle(measured, deployment)))
        rows += [(deployment.name, what, total(lines) * count, largest(lines)) for what, count, lines in things]
    in_use = metrics_in_use(measured)
    rows.append(("all of these", "what a month with requests adds", total(in_use), largest(in_use)))
    through = edge(measured.cached)
    rows.append(("all of these", "a million requests by CloudFront add", total(through) * MILLION, largest(through)))
    rows.append(("always on", "a month of containers", total(always_on()), largest(always_on())))
    yield "Dollars", ("deployment", "what", "$", "the most of it"), rows
    yield (
        "Searches a month up to which it costs less than the containers",
        ("deployment", *KINDS.values()),
        [(one.name, *(break_even(measured, kind, one) for kind in KINDS)) for one in COMPARED],
    )


def computed(measured: MeasuredUsage) -> str:
    """The generated part of the page, between its markers."""
    parts = [BEGIN]
    for title, columns, rows in tables(measured):
        cells = [[cell if isinstance(cell, str) else _amount(cell) for cell in row] for row in rows]
        parts.append(f"### {title}\n\n{_table(columns, cells)}")
    values = [[f"`{key}`", _shown(value), UNITS[key.rpartition(".")[2]]] for key, value in inputs(measured).items()]
    kept = [row for row in values if row[1] != "0"]
    parts.append(f"### Measured, of one event each\n\n{_table(('what', 'value', 'unit'), kept)}")
    prices = [[_shown(one.dollars), one.unit, one.date, one.source] for one in PRICES.values()]
    parts.append(f"### List prices in {REGION}\n\n{_table(('$', 'for a', 'as of', 'source'), prices)}")
    return "\n\n".join([*parts, END])


def read(page: str) -> MeasuredUsage:
    """The measured usage, read from the page's own table."""
    return measured_of({found["key"]: float(found["value"]) for found in ROW.finditer(page)})


def replaced(page: str, measured: MeasuredUsage) -> str:
    """The page with regenerated tables."""
    before, _, rest = page.partition(BEGIN)
    return before + computed(measured) + rest.partition(END)[2]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _shown(value: float) -> str:
    """Up to six significant digits, without an exponent."""
    return f"{float(f'{value:.6g}'):.12f}".rstrip("0").rstrip(".")


def main() -> None:
    """Regenerate the page's tables from the last result."""
    figures = json.loads(RESULT.read_text())["questions"]["cost"]["figures"]
    prefix = "cost.measured."
    values = {key.removeprefix(prefix): one["value"] for key, one in figures.items() if key.startswith(prefix)}
    PAGE.write_text(
        replaced(PAGE.read_text(), measured_of({key: float(_shown(value)) for key, value in values.items()}))
    )


if __name__ == "__main__":
    main()
