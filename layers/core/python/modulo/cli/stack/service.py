"""What every service of the stack has in common."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from modulo.cli.stack.process import Program

Run = Callable[[Program], None]


class Service:
    """A server: how to prepare it, start it, ask it and reach it."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()  # services that are ready before this one is prepared
    ready_within: ClassVar[float] = 60  # seconds; generous, for a busy machine

    def __init__(self, data: Path, *, run: Run, durable: bool) -> None:
        self.data = data / self.name
        self.run = run  # runs a program to its end
        self.durable = durable
        self.given: dict[str, str] = {}  # the environment of what it needs

    def prepare(self) -> None:
        """Make what the server needs before its first start."""
        private_directory(self.data)

    def program(self, port: int) -> Program:
        """What to start."""
        raise NotImplementedError

    def ready(self, port: int) -> bool:
        """Whether it serves; must answer quickly and never raise."""
        raise NotImplementedError

    def environment(self, port: int) -> dict[str, str]:
        """The settings by which the product reaches it, once whatever the product expects there is there."""
        raise NotImplementedError


def private_directory(path: Path) -> Path:
    """A directory that only we may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only we may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def kept_secret(path: Path) -> str:
    """A random secret, made at the first call and kept in a file that only we may read."""
    if not path.exists():
        draft = path.with_suffix(".new")
        write_private(draft, secrets.token_urlsafe(24))
        draft.replace(path)
    return path.read_text()
