"""Commands about collections and their files."""

from __future__ import annotations

from shlex import quote
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape

from modulo_client.command.connection import Json, Key, Name, Url, collection_named, connected, fail
from modulo_client.command.exit_codes import INCOMPLETE
from modulo_client.command.outcome import SHOWN, counted
from modulo_client.command.printing import (
    FILE_COLUMNS,
    file_row,
    note,
    number_of,
    out,
    print_json,
    print_table,
    size,
)
from modulo_client.models import DeletionRequested, File, Member, Role
from modulo_client.sync.collections import Collection

Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]


def list_(
    collection: Annotated[str | None, typer.Argument(help="list its files instead")] = None,
    *,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """List collections, or the files of one."""
    with connected(url, key) as modulo:
        if collection is not None:
            papers = collection_named(modulo, collection)
            empty = f"{papers.name} holds no files. Add some with: modulo add {quote(papers.name)} ./docs"
            _print_files(list(papers.files.list()), empty, as_json=as_json)
            return
        found = [one.info for one in modulo.collections.list()]
    if as_json:
        print_json(found)
        return
    if not found:
        note("You have no collections. Make one with: modulo new papers")
        return
    columns = ("name", "files", "status", "size", "role")
    rows = ((one.name, str(sum(one.files.values())), one.status, size(one.storage_bytes), one.role) for one in found)
    print_table(columns, rows)


def new(
    name: Annotated[str, typer.Argument(help="its name, by which other commands know it")],
    *,
    description: Annotated[str | None, typer.Option(help="what its documents are about")] = None,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Make a collection."""
    with connected(url, key) as modulo:
        made = modulo.collections.create(name, description=description)
    if as_json:
        print_json(made.info)
    else:
        out.print(f"Made {escape(made.name)}. Add files with: modulo add {escape(quote(made.name))} ./docs")


def status(
    collection: Name,
    *,
    failed: Annotated[bool, typer.Option("--failed", help="only files that failed")] = False,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show how far the files of a collection are; the exit code is 4 if some failed."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        files = list(papers.files.list(stage="failed" if failed else None))
    empty = f"No file of {papers.name} failed." if failed else f"{papers.name} holds no files."
    _print_files(files, empty, as_json=as_json)
    if any(file.stage == "failed" for file in files):
        raise typer.Exit(INCOMPLETE)


def _print_files(files: list[File], empty: str, *, as_json: bool) -> None:
    if as_json:
        print_json(files)
    elif not files:
        note(empty)
    else:
        print_table(FILE_COLUMNS, map(file_row, files))


def _files_named(collection: Collection, names: list[str]) -> list[File]:
    found = {name: file for file in collection.files.list() for name in (file.name, str(file.id), *file.aliases)}
    missing = [name for name in names if name not in found]
    if missing:
        fail(f"{collection.name} has no file {missing[0]!r}")
    return [found[name] for name in names]


def retry(
    collection: Name,
    files: Annotated[list[str] | None, typer.Argument(help="names or ids; all that failed if none is given")] = None,
    *,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Read failed files once more."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        failed = _files_named(papers, files) if files else list(papers.files.list(stage="failed"))
        again: list[File] = []
        hopeless: list[File] = []
        for one in failed:
            (hopeless if one.problem is not None and not one.problem.retryable else again).append(one)
        done: list[File] = []
        with counted(len(again), "sent again", done):
            for file in again:
                papers.files.retry(file.id)
                done.append(file)
    if as_json:
        print_json({"retried": [one.name for one in again], "hopeless": [one.name for one in hopeless]})
    else:
        out.print(f"{len(again)} sent again")
    if hopeless:
        fail(f"{len(hopeless)} would fail again as they are, such as {hopeless[0].name}", code=INCOMPLETE)


def remove(
    collection: Name,
    files: Annotated[
        list[str] | None, typer.Argument(help="names or ids; the whole collection if none is given")
    ] = None,
    *,
    yes: Yes = False,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Delete files, or a whole collection; prints the receipts."""
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        chosen = _files_named(papers, files or [])
        what = f"{number_of(len(chosen), 'file')} of {papers.name}" if files else f"{papers.name} with all its files"
        if not yes:
            typer.confirm(f"Delete {what}?", abort=True, err=True)
        gone: list[DeletionRequested] = []
        with counted(len(chosen) or 1, "deleted", gone):
            if not files:
                gone.append(papers.delete())
            for file in chosen:
                receipt = papers.files.delete(file.id)
                gone.append(receipt)
    if as_json:
        print_json(gone)
        return
    receipts = ", ".join(str(one.deletion_id) for one in gone[:SHOWN])
    more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
    out.print(f"Deleted {escape(what)}. Receipts: {receipts}{more}")


def share(
    collection: Name,
    user: Annotated[UUID | None, typer.Argument(help="the user's id; without one, who has access is listed")] = None,
    role: Annotated[Role | None, typer.Argument(help="what the user may do from now on")] = None,
    *,
    remove: Annotated[bool, typer.Option("--remove", help="take the user's access")] = False,
    url: Url = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Show who has access, give a user access, or take it. Users see their ids by `modulo whoami`."""
    if user is not None and (role is None) != remove:
        raise typer.BadParameter("name either a role (owner, editor or viewer) or --remove")
    if user is None and remove:
        raise typer.BadParameter("name the user whose access is taken")
    with connected(url, key) as modulo:
        papers = collection_named(modulo, collection)
        if user is not None and role is not None:
            _print_member(papers.members.set(user, role), papers, as_json=as_json)
            return
        if user is not None:
            papers.members.remove(user)
        members = list(papers.members.list())
    if as_json:
        print_json(members)
    else:
        print_table(("name", "role", "id"), ((one.name, one.role, str(one.user_id)) for one in members))


def _print_member(member: Member, papers: Collection, *, as_json: bool) -> None:
    if as_json:
        print_json(member)
    else:
        out.print(f"{escape(member.name)} is {member.role} of {escape(papers.name)}")
