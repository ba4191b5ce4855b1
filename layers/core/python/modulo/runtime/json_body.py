"""The one reader of bodies of JSON, as RFC 8259 has it: UTF-8, no NaN, and texts that hold whole characters only."""

import json
from collections import Counter
from typing import Any, Final

from modulo.domain.text.unicode_text import is_well_formed

MAX_NAME: Final = 60
"""Of a name that is told."""


class RefusedJson(ValueError):
    """It is JSON that no reader should have to make sense of; the message says why."""


def read_json(body: bytes) -> Any:
    """What the body holds.

    Raises:
        ValueError: it is no JSON in UTF-8.
        RefusedJson: it says one thing twice, or holds too large a number, too deep a list or half a character.
    """
    text = body.decode()
    try:
        found = json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
        # Only an escape can bring a surrogate into what was decoded from UTF-8.
        whole = "\\u" not in text or is_well_formed(json.dumps(found, ensure_ascii=False))
    except (json.JSONDecodeError, RefusedJson):
        raise
    except ValueError:
        raise RefusedJson("The body holds a number of too many digits.") from None
    except RecursionError:
        raise RefusedJson("The body holds lists or objects that stand too deep.") from None
    if not whole:
        raise RefusedJson("A text in the body holds an unpaired surrogate, which is no character.")
    return found


def _refuse(constant: str) -> None:
    raise RefusedJson(f"{constant} is no number of JSON.")


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ: of two values one would be ignored, and readers disagree on which."""
    found = dict(members)
    if len(found) < len(members):
        ((name, _),) = Counter(name for name, _ in members).most_common(1)
        raise RefusedJson(f"An object in the body has the name {name[:MAX_NAME]!r} more than once.")
    return found
