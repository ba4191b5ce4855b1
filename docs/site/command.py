"""The reference of the `modulo` command, made from its Typer application."""

import typer
from typer.cli import get_docs_for_click

from modulo_client.command.main import application

HEAD = """\
# All commands

Made from the program itself: `modulo --help` says the same. [Use the command](command.md) shows it at work.

"""


def command_page() -> str:
    """Every command with its arguments and options."""
    command = typer.main.get_command(application())
    made = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="modulo"), name="modulo")
    return HEAD + made.replace("# `modulo`\n", "## `modulo`\n", 1)
