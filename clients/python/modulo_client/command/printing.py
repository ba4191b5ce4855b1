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

from modulo_client.models import Answer, AnswerMetadata, File, Result
from modulo_client.sources import Added

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP, _EXACT = 1024, 10
_LEFT_OUT: Mapping[str, str] = {
    "embedder": "the embedding model did not answer: passages were found by their words alone",
    "reranker": "the reranker did not answer: passages stand in the order in which they were found",
    "neighbors": "the text beside the passages could not be read: they stand alone",
    "generator": "the first language model did not answer: another one wrote this",
}
"""What it means that a part of a search did not answer; the console tells the same."""


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
    warn(warnings_of(answer))


def warnings_of(answer: Answer) -> list[str]:
    """Why an answer may be worse than usual, or not all there is; the console tells the same."""
    about = answer.metadata
    told = {
        "the answer ends early: it reached its limit": about.cut_short or about.outcome == "cut_short",
        "a model answered, but its citations did not hold: its answer is not shown": about.outcome == "unverified",
    }
    more = [*(text for text, holds in told.items() if holds), *([answer.token_warning] if answer.token_warning else [])]
    return [*search_warnings(about), *more]


def search_warnings(about: AnswerMetadata) -> list[str]:
    """Why passages may be worse than usual, or not all there are."""
    unknown = "{} did not answer and was left out: what was found may be worse than usual"
    told = [_LEFT_OUT.get(part, unknown.format(part)) for part in about.degraded]
    return (
        told
        if about.complete
        else [*told, "only the nearest passages were checked against the filter: there may be others"]
    )


def warn(warnings: Sequence[str]) -> None:
    """Warnings on standard error, so that programs do not read them."""
    for warning in warnings:
        err.print(f"warning: {escape(warning)}", style="yellow")


def print_found(found: Answer) -> None:
    """Passages, each with the score that they are ordered by: the relevance, or without a reranker the fused score."""
    for one in found.query_results:
        place = f"{one.chunk.metadata.source}, page {one.chunk.metadata.page_number}"
        out.print(f"{_score(one, reranked=found.metadata.reranked)} {escape(place)}\n{escape(one.chunk.text)}\n")
    warn(search_warnings(found.metadata))


def _score(one: Result, *, reranked: bool) -> str:
    fused = one.chunk.fused_score
    if reranked or fused is None:
        return f"[bold]{one.score:.2f}[/bold]"
    return f"[dim]fused score[/dim] [bold]{fused:.2f}[/bold]"


def progress() -> Progress:
    """A bar of files on standard error, for people only; it leaves nothing behind."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
