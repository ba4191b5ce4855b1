"""What operators name by an id, or by a name that one alone has."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from modulo.cli.calls import fail


def id_of(given: str, what: str, listing: str, of_name: Callable[[], list[dict[str, Any]]]) -> str:
    """The id that is meant, or the command fails: `of_name` finds what has the name, `listing` says where to look."""
    with suppress(ValueError):
        return str(UUID(given))
    found = of_name() if given else []  # what is deleted has an empty name
    if not found:
        fail(f"there is no {what} named {given!r}; {listing}")
    if len(found) > 1:
        fail(f"several {what}s are named {given!r}: name one by its id, {' or '.join(one['id'] for one in found)}")
    return str(found[0]["id"])


def shown(given: str, identity: str) -> str:
    """What somebody named, with its id where that was not the name."""
    return given if given == identity else f"{given} ({identity})"
