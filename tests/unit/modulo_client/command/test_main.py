from collections.abc import Iterator

import click
import typer

from modulo_client.command.main import application


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    """A command and those below it, by what is typed to call them."""
    yield " ".join(path), command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, *path, name)


def test_the_help_explains_every_command_argument_and_option() -> None:
    everything = dict(commands(typer.main.get_command(application()), "modulo"))
    assert {"modulo ask", "modulo up", "modulo admin keys create"} <= set(everything)
    assert [path for path, command in everything.items() if not command.help] == []
    unexplained = [
        f"{path}: {parameter.opts[0]}"
        for path, command in everything.items()
        for parameter in command.params
        if not getattr(parameter, "help", None)
    ]
    assert unexplained == []
