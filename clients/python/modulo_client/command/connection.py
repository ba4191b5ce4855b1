"""How a command reaches its server: the options of all commands, and what ends one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from shlex import quote
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from modulo_client.command.exit_codes import FAILED, UNREACHABLE
from modulo_client.command.printing import err
from modulo_client.command.profile import Profile, find_profile
from modulo_client.errors import ApiProblem, ConnectionFailed, ModuloError, NotFound, Unauthenticated
from modulo_client.sync.client import Modulo
from modulo_client.sync.collections import Collection


def _web_address(given: str | None) -> str | None:
    if given is not None and not given.startswith(("http://", "https://")):
        raise typer.BadParameter(f"{given!r} is no address: it has to begin with http:// or https://")
    return given


Url = Annotated[
    str | None,
    typer.Option(envvar="MODULO_URL", callback=_web_address, help="the server, such as https://rag.example.org"),
]
Key = Annotated[str | None, typer.Option(envvar="MODULO_API_KEY", help="API key or token for it")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Name = Annotated[str, typer.Argument(metavar="COLLECTION", help="name or id of a collection")]


def fail(message: str, *, code: int = FAILED) -> NoReturn:
    """End the command with one line on standard error."""
    err.print(f"modulo: {escape(message)}", style="red")
    raise typer.Exit(code)


def chosen_profile(url: str | None, key: str | None) -> Profile:
    """The server that was given, remembered, or runs on this machine, and the key for it; without one, the end."""
    profile = find_profile(url, key)
    if profile is None:
        if url:
            fail(
                f"no key is known for {url}: run `modulo login --url {url}`, or give one by --key or MODULO_API_KEY",
                code=UNREACHABLE,
            )
        fail(
            "no server and key are known here: run `modulo login`, set MODULO_URL and MODULO_API_KEY, "
            "or start one with `make up`",
            code=UNREACHABLE,
        )
    return profile


@contextmanager
def connected(url: str | None, key: str | None) -> Iterator[Modulo]:
    """A client for that server; its errors end the command."""
    profile = chosen_profile(url, key)
    try:
        with Modulo(profile.url, profile.key) as modulo:
            yield modulo
    except Unauthenticated as error:
        fail(
            f"{profile.url} does not accept the key from {profile.source}. It says: {error.detail} "
            "`modulo login` takes another key.",
            code=UNREACHABLE,
        )
    except ConnectionFailed as error:
        fail(f"{profile.url} does not answer: check the address, and that the server runs ({error})", code=UNREACHABLE)
    except ApiProblem as error:
        fields = "".join(f"\n  {one['field']}: {one['message']}" for one in error.errors)
        again = f" (again in {error.retry_after:.0f} s)" if error.retry_after else ""
        fail(f"{error.detail}{again}{fields if len(error.errors) > 1 else ''}")
    except (ModuloError, OSError, ValueError) as error:
        fail(str(error))


def collection_named(modulo: Modulo, name: str) -> Collection:
    """A collection by its name or id; one that is not there ends the command, which names what may be meant."""
    try:
        return modulo.collections.get(name)
    except NotFound as error:
        names = [one.name for one in modulo.collections.list()]
        if name in names:  # of several owners
            raise
        close = get_close_matches(name, names, n=1)
        meant = f"is it {close[0]!r}?" if close else f"`modulo new {quote(name)}` makes it."
        fail(f"{error.detail.rstrip('.')}: {meant} `modulo ls` lists all.")
