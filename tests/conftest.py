"""The real servers, each started when a test first asks for it and stopped after the last test."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modulo.cli.stack import Stack

Environment = dict[str, str]


@contextmanager
def serving(name: str) -> Iterator[Environment]:
    """One service on a directory of its own; what it stores need not survive a power cut."""
    data = Path(tempfile.mkdtemp(prefix=f"modulo-{name}-"))
    try:
        with Stack(data, [name], durable=False) as stack:
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
