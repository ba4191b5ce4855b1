"""The real servers of a test run: one set for all its processes, each started when a test first asks for it."""

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from modulo.cli.stack import Stack

Environment = dict[str, str]
RUN_FOLDER = "MODULO_TEST_RUN"
"""The variable by which pytest-xdist's workers learn where the run keeps its servers."""
POLL_SECONDS = 0.1


def open_run(config: pytest.Config) -> Path:
    """The folder of this run, made by the controller and found by its workers."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="modulo-tests-")
    return Path(os.environ[RUN_FOLDER])


def close_run(config: pytest.Config) -> None:
    """Forget the folder, once every process has stopped what it started."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(RUN_FOLDER), ignore_errors=True)


@contextmanager
def serving(*names: str) -> Iterator[Environment]:
    """Services on a directory of their own; what they store need not survive a power cut."""
    data = Path(tempfile.mkdtemp(prefix=f"modulo-{names[-1]}-"))
    try:
        with Stack(data, names, durable=False) as stack:
            yield stack.environment
    finally:
        shutil.rmtree(data)


def shared(*names: str) -> AbstractContextManager[Environment]:
    """The run's one set of these services."""
    return shared_as("-".join(names), lambda: serving(*names))


@contextmanager
def shared_as(name: str, start: Callable[[], AbstractContextManager[Environment]]) -> Iterator[Environment]:
    """What the run starts once; the process that started it stops it after all others have left.

    Each process that uses it holds a shared lock, which ends with the process even where it is killed.
    """
    folder = Path(os.environ[RUN_FOLDER])
    address = folder / f"{name}.json"
    with (folder / f"{name}.starting").open("w") as starting, (folder / f"{name}.users").open("w") as users:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)
        if address.exists():
            fcntl.flock(starting, fcntl.LOCK_UN)
            yield json.loads(address.read_text())
            return
        with start() as environment:
            address.write_text(json.dumps(environment))
            fcntl.flock(starting, fcntl.LOCK_UN)
            try:
                yield environment
            finally:
                _await_leaving(starting.fileno(), users.fileno())
                address.unlink()


def _await_leaving(starting: int, users: int) -> None:
    """Return when nobody else uses the servers; until the files are closed nobody can begin to."""
    while True:
        fcntl.flock(starting, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(starting, fcntl.LOCK_UN)
            fcntl.flock(users, fcntl.LOCK_SH)
            time.sleep(POLL_SECONDS)
        else:
            return
