"""The one reader of bodies of JSON, as RFC 8259 has it: UTF-8, no NaN, and texts that hold whole characters only."""

import json
from typing import Any

from modulo.domain.unicode_text import is_well_formed


def read_json(body: bytes) -> Any:
    """What the body holds.

    Raises:
        ValueError: it is no JSON in UTF-8, or too large a number or too deep a list for any reader.
    """
    text = body.decode()
    try:
        found = json.loads(text, parse_constant=_refuse)
        # Only an escape can bring a surrogate into what was decoded from UTF-8.
        whole = "\\u" not in text or is_well_formed(json.dumps(found, ensure_ascii=False))
    except RecursionError:
        raise ValueError("The body holds lists or objects that stand too deep.") from None
    if not whole:
        raise ValueError("A text in the body holds an unpaired surrogate, which is no character.")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON.")
