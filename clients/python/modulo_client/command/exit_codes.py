"""What the exit code of the `modulo` command says."""

from typing import Final

FAILED: Final = 1
"""The server refused, or something failed; one line on standard error says what."""
USAGE: Final = 2
"""The command line is wrong."""
UNREACHABLE: Final = 3
"""No server answered, or there is no valid credential for it."""
INCOMPLETE: Final = 4
"""Some of several files failed; the others were done."""
INTERRUPTED: Final = 130
"""Ctrl-C; what was done is told."""
