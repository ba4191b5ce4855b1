"""How long a failed message waits for its next delivery."""

from hashlib import sha256
from math import ceil

LONGEST = 43_200
"""Seconds: SQS keeps a message invisible for 12 hours at most."""


def pause(attempt: int, *, base: int, key: str, asked: int = 0) -> int:
    """Seconds to wait after this attempt, the first being 1.

    Between a half and the whole of `base` · 2ⁿ, n counting the retries from 0, so that what failed together
    does not come again together (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    Where the error asked for a time, not sooner: at the earliest then, at the latest half as long again.
    The key and the attempt decide where in between: the same ones always at the same moment.
    """
    whole = min(base << (attempt - 1), LONGEST)
    share = int.from_bytes(sha256(f"{key}:{attempt}".encode()).digest()[:4]) / 2**32
    return min(LONGEST, max(ceil(whole * (1 + share) / 2), ceil(asked * (1 + share / 2))))
