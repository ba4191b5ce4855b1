"""Pydantic's errors as errors of fields, by the names and in the words that a client of JSON knows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modulo.domain.field_messages import message_of
from modulo.domain.text.unicode_text import repair

MAX_ERRORS, MAX_NAME, MAX_DEPTH, MAX_MESSAGE = 20, 60, 8, 300
"""Of the errors that are told of a request: their number, a name's length, the names of a path, a message's length."""
BODY: Final = "body"
_PLACES: Final = (BODY, "query", "path", "header")
_KEY: Final = "[key]"
"""Stands at the end of the location of a key."""
Entry = Mapping[str, Any]


def field_errors(found: Sequence[Entry], given: Any = None) -> tuple[list[dict[str, str]], int]:
    """The first errors, each with its field, and how many more there are.

    `given` is the body that locations of `body` lead through.
    """
    told = _without_consequences(found)
    errors = [{"field": _field(entry, given), "message": _message(entry)} for entry in told[:MAX_ERRORS]]
    return errors, len(told) - len(errors)


def _without_consequences(found: Sequence[Entry]) -> list[Entry]:
    """All but the lists that are too short only because one of their items is wrong."""
    wrong_within = {entry["loc"][:depth] for entry in found for depth in range(len(entry["loc"]))}
    return [entry for entry in found if entry["type"] != "too_short" or entry["loc"] not in wrong_within]


def _field(entry: Entry, given: Any) -> str:
    """A field's path as the client wrote it, without `body`, `query` and the like."""
    location = entry["loc"]  # empty where the whole of a message is wrong
    if location[-1:] == (_KEY,):
        location = location[:-1]
    others = location[1:]
    parts = others if others and location[0] in _PLACES else location
    if others and location[0] == BODY and given is not None:
        parts = list(_walked(others, given, missing=entry["type"] == "missing")) or [BODY]
    if discriminator := entry.get("ctx", {}).get("discriminator"):
        parts = [*parts, discriminator.strip("'")]
    return repair(".".join(str(part)[:MAX_NAME] for part in parts[:MAX_DEPTH]))


def _walked(parts: Sequence[str | int], given: Any, *, missing: bool) -> Iterator[str | int]:
    """The parts that lead through what was given, and the last where that is missing.

    The others name a branch of a union, or an item of a list that one value stood for.
    """
    last = len(parts) - 1
    for number, part in enumerate(parts):
        if isinstance(given, Mapping) and part in given:
            given = given[str(part)]
        elif isinstance(given, list) and isinstance(part, int) and part < len(given):
            given = given[part]
        elif not (missing and number == last):
            continue
        yield part


def _message(entry: Entry) -> str:
    message = message_of(entry)
    if entry["loc"][-1:] == (_KEY,):
        message = f"as a key, {message}"
    return message[:MAX_MESSAGE]
