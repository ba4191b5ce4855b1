"""Exponential backoff with jitter: how long a failed message waits for its next delivery."""

from hashlib import sha256
from math import ceil

MAX_DELAY_SECONDS = 43_200
"""Seconds: SQS keeps a message invisible for 12 hours at most."""


def retry_delay(attempt: int, *, base_seconds: int, key: str, retry_after: int = 0) -> int:
    """Seconds to wait after this attempt, the first being 1.

    Between half and all of `base_seconds` · 2ⁿ, n counting the retries from 0: messages that failed together are not
    delivered together (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    At least `retry_after` seconds where the error asked for them, and at most half as long again. The jitter is
    derived from the key and the attempt: the same ones always wait equally long.
    """
    whole = min(base_seconds << (attempt - 1), MAX_DELAY_SECONDS)
    share = int.from_bytes(sha256(f"{key}:{attempt}".encode()).digest()[:4]) / 2**32
    return min(MAX_DELAY_SECONDS, max(ceil(whole * (1 + share) / 2), ceil(retry_after * (1 + share / 2))))
