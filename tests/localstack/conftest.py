"""One LocalStack for all tests here."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from modulo.cli.stack import Stack
from tests.localstack.world import Cloud


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[[], Cloud]]:
    """Starts a LocalStack that lasts as long as the tests."""
    clouds: list[Cloud] = []
    with ExitStack() as ends:

        def started() -> Cloud:
            place = ends.enter_context(tempfile.TemporaryDirectory(prefix="modulo-localstack-"))
            before = psutil.Process().children()
            running = ends.enter_context(Stack(Path(place), ["localstack"], durable=False))
            process = next(child for child in psutil.Process().children() if child not in before)
            clouds.append(Cloud(dict(running.environment), process))
            return clouds[-1]

        yield started
        functions = [child for cloud in clouds for child in running_below(cloud.process)]
    assert psutil.wait_procs(functions, timeout=60)[1] == [], "the functions' processes end with LocalStack"


def running_below(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


@pytest.fixture(scope="session")
def localstack(start: Callable[[], Cloud]) -> Cloud:
    """The one that tests share."""
    return start()
