import subprocess
import sys

import pytest

from modulo_client.command.start import NEEDED

PROGRAM = """
import sys
if missing := sys.argv.pop(1):
    sys.modules[missing] = None
from modulo_client.command.start import start
start()
"""


def started(*arguments: str, missing: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in which a module may be missing."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, missing or "", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("missing", NEEDED)
def test_who_installed_the_client_alone_is_told_what_the_command_needs(missing: str) -> None:
    done = started("ls", missing=missing)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"modulo: the command needs {missing}: install the client with its extra `cli`, modulo-client[cli]\n"
    )


def test_another_module_that_is_missing_is_a_fault() -> None:
    assert "ModuleNotFoundError" in started("ls", missing="httpx").stderr


def test_it_runs_the_command() -> None:
    done = started("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "modulo-client")
