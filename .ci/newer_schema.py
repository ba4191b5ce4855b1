"""A plugin of pytest for `.ci/previous-code`: every database of the run begins with the schema of another checkout.

Postgres makes a database by copying `template1`, so that one is migrated, by the code of the other checkout. What runs
the tests finds a schema that it does not know, as it does during a deployment and after one is rolled back.
"""

import fcntl
import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import modulo

SERVER = "postgres_server"
"""The fixture whose value tells how to reach the run's server."""
NEWER = Path(os.environ["NEWER_CHECKOUT"])
MIGRATED = Path(os.environ["NEWER_SCHEMA"])
"""Where it is noted that the schema is there, and at which revision."""
SECONDS = 120


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test the code of anything but the folder that the tests are in."""
    if not Path(modulo.__file__).is_relative_to(config.rootpath):
        raise pytest.UsageError(f"{modulo.__file__} is not the code of {config.rootpath}")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
    """Migrate as soon as the server is there, once for all processes of the run."""
    value = yield
    if fixturedef.argname == SERVER:
        with MIGRATED.open("a+") as noted:
            fcntl.flock(noted, fcntl.LOCK_EX)
            noted.seek(0)
            if not noted.read():
                noted.write(_migrate(value["DATABASE_URL"]))
    return value


def _migrate(url: str) -> str:
    server, _, _ = url.rpartition("/")
    environment = {
        **os.environ,
        "DATABASE_URL": f"{server}/template1",
        "PYTHONPATH": f"{NEWER / 'layers' / 'core' / 'python'}:{NEWER / 'clients' / 'python'}",
    }
    command = [NEWER / ".venv" / "bin" / "python", "-m", "modulo.cli.main", "migrate"]
    done = subprocess.run(  # noqa: S603
        command, env=environment, cwd=NEWER, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        pytest.exit(f"the migrations of {NEWER} failed:\n{done.stdout}{done.stderr}", returncode=1)
    return done.stdout
