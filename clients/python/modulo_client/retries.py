"""When a request is sent again, and how long to wait before."""

from __future__ import annotations

import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Final

RETRIED: Final = frozenset({429, 502, 503, 504})
FIRST_SECONDS: Final = 0.5
MAX_SECONDS: Final = 30.0
"""The longest wait; what asks for a longer one, such as a daily quota, is an error at once."""


def pause_after(status: int, headers: Mapping[str, str], *, attempt: int) -> float | None:
    """The seconds to wait before the attempt after this one (from 1 on); None if it cannot help."""
    if status not in RETRIED:
        return None
    asked = retry_after(headers)
    if asked is None:
        return backoff(attempt)
    return asked if asked <= MAX_SECONDS else None


def backoff(attempt: int) -> float:
    """Exponential, with jitter, so that clients that failed together do not return together."""
    longest = min(MAX_SECONDS, FIRST_SECONDS * 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def retry_after(headers: Mapping[str, str]) -> float | None:
    """What the server asks for, in seconds: a number, or a date (RFC 9110)."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
