"""`modulo problems`: every kind of problem, as `infra/problems.md` lists them for users."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules

from modulo import runtime
from modulo.domain.errors import DeadMessage, FileFailed, ModuloError, explanation
from modulo.runtime.details import TYPE

PAGE = """\
# Problems

Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems; the `type` of each is `{type}` and its code.
A file that failed shows one as its `problem`, by `code`, with `retryable`: whether trying again can help.

## Why a file fails

What a retry cannot help fails at once. All else is tried again, later each time, and fails when the tries are used up.

{files}

## Why a message is given up

A message to `ingest_file` whose file failed has that file's problem; others have one of these.

{messages}

## Why a request fails

{requests}
"""


def page() -> str:
    """The page, made of the error tree."""
    every = sorted(kinds(), key=lambda error: error.code())
    messages = [error for error in every if issubclass(error, DeadMessage)]
    files = [error for error in every if issubclass(error, FileFailed) or (error.retryable and error not in messages)]
    requests = [error for error in every if not issubclass(error, FileFailed | DeadMessage)]
    return PAGE.format(
        type=TYPE,
        files=_helped(files),
        messages=_helped(messages),
        requests=_table("code | status | meaning", (_row(e, str(e.status)) for e in requests)),
    )


def kinds() -> list[type[ModuloError]]:
    """Every kind of problem that users are told of; a class under another one's code is no kind of its own."""
    for module in iter_modules(runtime.__path__, "modulo.runtime."):
        import_module(module.name)  # which has some of its own
    homes = ("modulo.domain.", "modulo.runtime.")
    ours = [error for error in _below(ModuloError) if error.__module__.startswith(homes)]
    found = {error.code(): error for error in reversed(ours)}
    return [error for error in found.values() if error not in (ModuloError, FileFailed, DeadMessage)]


def print_problems() -> None:
    """Print the page."""
    print(page(), end="")


def _below(error: type[ModuloError]) -> Iterator[type[ModuloError]]:
    yield error
    for child in error.__subclasses__():
        yield from _below(child)


def _helped(errors: Iterable[type[ModuloError]]) -> str:
    return _table("code | a retry can help | meaning", (_row(e, "yes" if e.retryable else "no") for e in errors))


def _row(error: type[ModuloError], second: str) -> str:
    return f"| `{error.code()}` | {second} | {explanation(error)} |"


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([f"| {head} |", "|---|---|---|", *rows])
