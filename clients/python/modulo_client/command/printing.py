"""What the command prints: tables and progress for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from modulo_client.models import Answer, File
from modulo_client.sources import Added

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP, _EXACT = 1024, 10


def print_json(value: BaseModel | Sequence[BaseModel] | Mapping[str, Any]) -> None:
    """A value, or a list of values, as JSON."""
    if isinstance(value, BaseModel):
        written: Any = value.model_dump(mode="json", exclude_none=True)
    elif isinstance(value, Mapping):
        written = dict(value)
    else:
        written = [one.model_dump(mode="json", exclude_none=True) for one in value]
    print(json.dumps(written, ensure_ascii=False, indent=2))  # noqa: T201 - what the command is for


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows under their names; nothing where there are none."""
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if table.row_count:
        out.print(table)


def note(text: str) -> None:
    """Why there is nothing to print; on standard error, so that programs read nothing."""
    err.print(f"[dim]{escape(text)}[/dim]")


def size(count: int) -> str:
    """A number of bytes in the unit that suits it, in steps of 1,024 as limits are set; as the console shows it."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.{1 if amount < _EXACT and unit else 0}f} {_UNITS[unit]}"


def number_of(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def file_row(file: File) -> tuple[str, ...]:
    """A file as a row: name, stage, size, pages, and why it failed."""
    pages = str(file.pages_total or "")
    if pages and not file.finished:
        pages = f"{file.pages_done}/{pages}"
    return file.name, file.stage, size(file.size_bytes), pages, file.problem.detail if file.problem else ""


FILE_COLUMNS = ("name", "stage", "size", "pages", "problem")


def why_not(added: Added) -> str:
    """Why a file is not ready."""
    if added.error is not None:
        return str(getattr(added.error, "detail", added.error))
    return added.file.problem.detail if added.file is not None and added.file.problem is not None else "not ready"


def print_answered(answer: Answer) -> None:
    """What an answer rests on: its citations by their marks, or what is nearest where nothing answers."""
    if answer.citations:
        out.print()
    for one in answer.citations:
        out.print(f"[dim]\\[{one.mark}][/dim] {escape(one.title)}, page {one.page_number}: “{escape(one.excerpt)}”")
    for near in answer.nearest:
        out.print(f"  [dim]near[/dim] {escape(near.title)}, page {near.page_number}: {escape(near.excerpt)}")
    for warning in warnings_of(answer):
        err.print(f"warning: {escape(warning)}", style="yellow")


def warnings_of(answer: Answer) -> list[str]:
    """Why an answer may be worse than usual, or not all there is; the console tells the same."""
    about = answer.metadata
    left_out = f"a part of the search did not answer and was left out ({', '.join(about.degraded)})"
    told = {
        f"{left_out}: the answer may be worse than usual": bool(about.degraded),
        "only the nearest passages were checked against the filter: there may be others": not about.complete,
        "the answer ends early: it reached its limit": about.cut_short or about.outcome == "cut_short",
        "a model answered, but its citations did not hold: its answer is not shown": about.outcome == "unverified",
    }
    return [*(text for text, holds in told.items() if holds), *([answer.token_warning] if answer.token_warning else [])]


def progress() -> Progress:
    """A bar of files on standard error, for people only; it leaves nothing behind."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
