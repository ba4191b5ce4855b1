"""The `modulo` command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Annotated

import typer

from modulo_client.command import account, additions, doctor, files, questions
from modulo_client.command.printing import out
from modulo_client.version import VERSION

GROUP = "modulo.commands"
"""The entry points by which other distributions add their commands."""
FILES, QUESTIONS, ACCOUNT = "Collections and files", "Questions", "Server and account"
"""The groups of commands in the help."""
COMMANDS: Mapping[str, tuple[str, Callable[..., None]]] = {
    "ask": (QUESTIONS, questions.ask),
    "chat": (QUESTIONS, questions.chat),
    "search": (QUESTIONS, questions.search),
    "ls": (FILES, files.list_),
    "new": (FILES, files.new),
    "add": (FILES, additions.add),
    "sync": (FILES, additions.sync),
    "status": (FILES, files.status),
    "retry": (FILES, files.retry),
    "rm": (FILES, files.remove),
    "share": (FILES, files.share),
    "login": (ACCOUNT, account.login),
    "logout": (ACCOUNT, account.logout),
    "whoami": (ACCOUNT, account.whoami),
    "usage": (ACCOUNT, account.usage),
    "open": (ACCOUNT, account.open_page),
    "doctor": (ACCOUNT, doctor.doctor),
}


def _print_version(asked: bool) -> None:
    if asked:
        out.print(f"modulo-client {VERSION}")
        raise typer.Exit


def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    """Ask your documents, and run Modulo."""


def application() -> typer.Typer:
    """The command with those of every distribution that adds some, such as the server's."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, callback=_root)
    for name, (group, command) in COMMANDS.items():
        app.command(name, rich_help_panel=group)(command)
    for point in entry_points(group=GROUP):
        app.add_typer(point.load())
    return app


def main() -> None:
    """Run the command; Ctrl-C ends it without a trace."""
    application()()
