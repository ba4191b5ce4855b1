"""`Service`, the interface of the stack's servers, and private files for their secrets."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from modulo.cli.stack.process import Program

Run = Callable[[Program], None]


class Service:
    """A server: how to prepare, start, probe and reach it."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()  # services that must be ready before this one is prepared
    ready_within: ClassVar[float] = 180  # seconds; generous, for busy machines: one that has exited is noticed at once

    def __init__(self, data: Path, *, run: Run, durable: bool) -> None:
        self.data = data / self.name
        self.run = run  # runs a program and waits until it exits
        self.durable = durable
        self.given: dict[str, str] = {}  # environment of the services it needs

    def prepare(self) -> None:
        """Create what the server needs before it starts."""
        private_directory(self.data)

    def program(self, port: int) -> Program:
        """The program to start."""
        raise NotImplementedError

    def ready(self, port: int) -> bool:
        """Whether the server accepts requests; must return quickly and never raise."""
        raise NotImplementedError

    def environment(self, port: int) -> dict[str, str]:
        """Create the resources that the product expects, and return the settings by which it reaches the server."""
        raise NotImplementedError


def private_directory(path: Path) -> Path:
    """Create a directory that only this user may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read; whoever is killed meanwhile leaves the file as it was."""
    draft = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def kept_secret(path: Path) -> str:
    """A random secret, generated at the first call and kept in a private file."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()
