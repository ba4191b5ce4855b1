"""Commands that send files: once, whenever they change, or a folder as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from modulo_client.command.connection import Json, Key, Name, Url, collection_named, connected
from modulo_client.command.exit_codes import INCOMPLETE
from modulo_client.command.outcome import SHOWN, Outcome
from modulo_client.command.printing import err, number_of, out, print_json
from modulo_client.command.watch import versions_of, watch_sources
from modulo_client.folder_plan import SyncPlan, names_in
from modulo_client.sources import sources_of
from modulo_client.sync.collections import Collection

DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="only show what would be done")]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", "-x", help="leave out what a pattern matches, as in '*.log' or drafts")
]
MaxWait = Annotated[float, typer.Option(min=0, help="seconds; files go on being read afterwards")]


def add(
    collection: Name,
    sources: Annotated[list[str], typer.Argument(help="files, folders, 'patterns/**/*.pdf', https:// addresses")],
    *,
    exclude: Exclude = None,
    dry_run: DryRun = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="then add what changes, until Ctrl-C")] = False,
    max_wait: MaxWait = 3600,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Add files, wait until each is read, and say which failed; the exit code is 4 if some did."""
    with connected(url, key) as modulo:
        found = sources_of(*sources, exclude=exclude or ())
        if dry_run:
            _print_names({"add": [one.name for one in found]}, as_json=as_json)
            return
        papers = collection_named(modulo, collection)
        seen = versions_of(found)
        outcome = Outcome(len(found), as_json=as_json)
        with outcome.shown("adding") as step:
            papers.add(*found, max_wait=max_wait, on_progress=step)
        outcome.tell()
        if watch:
            watch_sources(papers, sources, exclude or [], seen=seen, failed=outcome.failed)
    if outcome.failed and not watch:
        raise typer.Exit(INCOMPLETE)


def sync(
    folder: Annotated[Path, typer.Argument(help="the folder that the collection is to hold")],
    collection: Name,
    *,
    delete: Annotated[bool, typer.Option("--delete", help="delete files that the folder does not have")] = False,
    exclude: Exclude = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask before deleting")] = False,
    max_wait: MaxWait = 3600,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Make a collection hold the files of a folder: sends what is new or changed; again goes on where it stopped."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        plan = papers.files.plan_sync(folder, exclude=exclude or ())
        if dry_run:
            _print_names({what: names for what, names in names_in(plan).items() if names}, as_json=as_json)
            return
        deleting = delete and bool(plan.gone) and _allowed(plan, folder, papers, yes=yes)
        outcome = Outcome(plan.total, unchanged=plan.unchanged, as_json=as_json)
        with outcome.shown("syncing") as step:
            report = papers.sync(folder, plan=plan, delete=deleting, max_wait=max_wait, on_progress=step)
        outcome.deleted = report.deleted
        outcome.tell()
        if plan.gone and not deleting:
            gone = number_of(len(plan.gone), "file")
            err.print(f"Not in {folder}: {gone} of {escape(papers.name)}; --delete removes them.")
    if outcome.failed:
        raise typer.Exit(INCOMPLETE)


def _allowed(plan: SyncPlan, folder: Path, papers: Collection, *, yes: bool) -> bool:
    """Whether what is gone may be deleted.

    Raises:
        ValueError: the folder is empty, as one that is not mounted is.
    """
    if not plan.total and not plan.unchanged:
        raise ValueError(f"{folder} holds no files, so nothing is deleted; modulo rm {papers.name} deletes it all")
    if not yes:
        for file in plan.gone[:SHOWN]:
            err.print(f"  {escape(file.name)}")
        more = f", {len(plan.gone) - SHOWN} more than these" if len(plan.gone) > SHOWN else ""
        typer.confirm(f"Delete {number_of(len(plan.gone), 'file')} of {papers.name}{more}?", abort=True, err=True)
    return True


def _print_names(names: dict[str, list[str]], *, as_json: bool) -> None:
    if as_json:
        print_json(names)
        return
    for what, of_it in names.items():
        if what == "unchanged":
            out.print(f"[dim]unchanged   {number_of(len(of_it), 'file')}[/dim]")
            continue
        for name in of_it:
            out.print(f"[dim]{what:<10}[/dim]  {escape(name)}")
    if not any(names.values()):
        out.print("Nothing to do.")
