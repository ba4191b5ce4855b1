"""The server that `modulo up` runs on this machine, by what it keeps in its data directory."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Final

DATA: Final = ".modulo"
"""The folder in which `modulo up` keeps a server's data."""
KEY_FILE: Final = "demo.key"
"""In it: the demo's API key."""
LOCK_FILE: Final = "lock"
"""In it: locked as long as the server runs; it holds the process and, once that has started, `at` and its address."""


def is_running(data: Path) -> bool:
    """Whether a server holds the lock on its data directory."""
    try:
        with (data / LOCK_FILE).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def address_and_key(data: Path) -> tuple[str, str] | None:
    """Where the server that runs on a directory answers, and the demo's key; None as long as it starts.

    Raises:
        OSError: another user's server does not let it be read.
    """
    try:
        _, _, url = (data / LOCK_FILE).read_text().partition(" at ")
        key = (data / KEY_FILE).read_text().strip()
    except FileNotFoundError:
        return None
    return (url.strip(), key) if url and key else None
