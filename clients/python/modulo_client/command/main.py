"""The `modulo` command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Annotated

import typer

from modulo_client.command import account, files, questions
from modulo_client.command.printing import out
from modulo_client.version import VERSION

GROUP = "modulo.commands"
"""The entry points by which other distributions add their commands."""
COMMANDS: Mapping[str, Callable[..., None]] = {
    "login": account.login,
    "logout": account.logout,
    "whoami": account.whoami,
    "ls": files.list_,
    "new": files.new,
    "add": files.add,
    "status": files.status,
    "retry": files.retry,
    "rm": files.remove,
    "ask": questions.ask,
    "chat": questions.chat,
    "search": questions.search,
    "share": files.share,
    "usage": account.usage,
    "open": account.open_page,
}


def _print_version(asked: bool) -> None:
    if asked:
        out.print(f"modulo-client {VERSION}")
        raise typer.Exit


def _root(
    *, _version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False
) -> None:
    """Ask your documents, and run Modulo."""


def application() -> typer.Typer:
    """The command with those of every distribution that adds some, such as the server's."""
    app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, callback=_root)
    for name, command in COMMANDS.items():
        app.command(name, rich_help_panel="Documents and questions")(command)
    for point in entry_points(group=GROUP):
        app.add_typer(point.load())
    return app


def main() -> None:
    """Run the command; Ctrl-C ends it without a trace."""
    application()()
