"""Functions called by name, so that a subcommand imports only what it needs."""

import importlib
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from modulo.domain.errors import ModuloError


def load(path: str) -> Callable[..., Any]:
    """Import the function named `module:function`, relative to the package."""
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"modulo.{module}"), name)
    return function


def run(path: str, *args: Any, **options: Any) -> Any:
    """Call a function by name; a `ModuloError` ends the command with one line and exit code 1."""
    try:
        return load(path)(*args, **options)
    except ModuloError as error:
        fail(error.detail)


def fail(message: str) -> NoReturn:
    """Print the message to standard error and exit with code 1."""
    typer.echo(f"modulo: {message}", err=True)
    raise typer.Exit(1)
