"""Which field of a request holds an id by which nothing was found."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request

GIVEN: Final = "modulo.given"
"""The key of a request's scope under which its body of JSON stands, once it is read."""
MAX_CHARACTERS: Final = 60
"""Of a text that may hold an id."""
MAX_DEPTH: Final = 8
"""How deep ids are looked for."""


def field_of(identity: UUID, request: Request) -> str | None:
    """The field of the query or the body; None where the id stands in the path, or in nothing that was sent."""
    for field, text in (*request.query_params.items(), *_texts(request.scope.get(GIVEN))):
        if _holds(text, identity):
            return field
    return None


def _texts(given: Any) -> Iterator[tuple[str, str]]:
    """Every text of a body with its field, the outer ones first."""
    left: deque[tuple[tuple[str, ...], Any]] = deque([((), given)])
    while left:
        place, value = left.popleft()
        if isinstance(value, str):
            yield ".".join(place), value
        elif len(place) == MAX_DEPTH:
            continue
        elif isinstance(value, Mapping):
            left.extend(((*place, str(name)), inner) for name, inner in value.items())
        elif isinstance(value, list):
            left.extend(((*place, str(number)), inner) for number, inner in enumerate(value))


def _holds(text: str, identity: UUID) -> bool:
    """Whether it is the id, or a model that is named by it, as modulo/<id>."""
    if len(text) > MAX_CHARACTERS:
        return False
    try:
        return UUID(text.rpartition("/")[2]) == identity
    except ValueError:
        return False
