"""`modulo problems`: print the reference of all problem codes, as committed in `infra/problems.md`."""

from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import walk_packages

from modulo import runtime
from modulo.domain.errors import DeadMessage, FileFailed, ModuloError, explanation
from modulo.runtime.problem_details import TYPE

PAGE = """\
# Problems

Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems; the `type` of each is `{type}` and its code.
A failed file shows its error as `problem`: the `code`, and in `retryable` whether a retry can help.

## Why a file fails

Errors that a retry cannot fix fail the file at once. For all others, ingestion is retried with increasing delays, and
the file fails when all attempts are used up.

{files}

## Why a message becomes a dead letter

The dead letter of a message to `ingest_file` whose file failed has that file's problem; others have one of these.

{messages}

## Why a request fails

{requests}
"""


def page() -> str:
    """The page as Markdown, generated from the error classes."""
    every = sorted(visible_errors(), key=lambda error: error.code())
    messages = [error for error in every if issubclass(error, DeadMessage)]
    files = [error for error in every if issubclass(error, FileFailed) or (error.retryable and error not in messages)]
    requests = [error for error in every if not issubclass(error, FileFailed | DeadMessage)]
    return PAGE.format(
        type=TYPE,
        files=_retry_table(files),
        messages=_retry_table(messages),
        requests=_table("code | status | meaning", (_row(e, str(e.status)) for e in requests)),
    )


def visible_errors() -> list[type[ModuloError]]:
    """Every error class users can see; classes that share a code count once."""
    for module in walk_packages(runtime.__path__, "modulo.runtime."):
        import_module(module.name)  # some runtime modules define errors
    homes = ("modulo.domain.", "modulo.runtime.")
    ours = [error for error in _subclasses(ModuloError) if error.__module__.startswith(homes)]
    found = {error.code(): error for error in reversed(ours)}
    return [error for error in found.values() if error not in (ModuloError, FileFailed, DeadMessage)]


def print_problems() -> None:
    """Print the page."""
    print(page(), end="")


def _subclasses(error: type[ModuloError]) -> Iterator[type[ModuloError]]:
    yield error
    for child in error.__subclasses__():
        yield from _subclasses(child)


def _retry_table(errors: Iterable[type[ModuloError]]) -> str:
    return _table("code | a retry can help | meaning", (_row(e, "yes" if e.retryable else "no") for e in errors))


def _row(error: type[ModuloError], second: str) -> str:
    return f"| `{error.code()}` | {second} | {explanation(error)} |"


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([f"| {head} |", "|---|---|---|", *rows])
