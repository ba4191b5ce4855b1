"""The real servers, each started when a test first asks for it and stopped after the last test."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modulo.adapters.tesseract_program import PROGRAM
from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.pgbouncer import binary

Environment = dict[str, str]


@contextmanager
def serving(*names: str) -> Iterator[Environment]:
    """Services on a directory of their own; what they store need not survive a power cut."""
    data = Path(tempfile.mkdtemp(prefix=f"modulo-{names[-1]}-"))
    try:
        with Stack(data, names, durable=False) as stack:
            yield stack.environment
    finally:
        shutil.rmtree(data)


def fixture_of(name: str) -> Callable[[], Iterator[Environment]]:
    """The session's one server of that kind; the fixture's value is how to reach it, as settings."""

    def server() -> Iterator[Environment]:
        with serving(name) as environment:
            yield environment

    return pytest.fixture(scope="session", name=name)(server)


postgres = fixture_of("postgres")
valkey = fixture_of("valkey")
milvus = fixture_of("milvus")
cloud = fixture_of("cloud")
models = fixture_of("models")
llm = fixture_of("llm")


@pytest.fixture(scope="session")
def pgbouncer_program() -> Path:
    """The stand-in for RDS Proxy, a package of Debian's; a machine without it is told what was not proved."""
    try:
        return binary()
    except StackError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"nothing is proved about transaction poolers: {error}")


@pytest.fixture(scope="session")
def tesseract_program() -> Path:
    """What recognises text, a package of Debian's; a machine without it is told what was not proved."""
    found = shutil.which(PROGRAM)
    if found is None and os.environ.get("CI"):
        raise LookupError(f"{PROGRAM} is not installed: apt-get install tesseract-ocr (Debian, Ubuntu)")
    if found is None:
        pytest.skip(f"nothing is proved about text recognition: {PROGRAM} is not installed")
    return Path(found)


@pytest.fixture(scope="session")
def pooler(pgbouncer_program: Path) -> Iterator[Environment]:
    """A Postgres of its own behind a transaction pooler."""
    with serving("postgres", "pgbouncer") as environment:
        yield environment
