"""The real servers, each started when a test first asks for it and stopped after the last test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from modulo.adapters.parsing.ocr.tesseract import PROGRAM
from modulo.cli.stack import StackError
from modulo.cli.stack.pgbouncer import binary
from modulo.ports.trace import current_trace
from tests.databases import Database, migrated_database, own_database
from tests.servers import Environment, close_run, open_run, serving, shared
from tests.turns import Turns

LONGEST = (
    "tests/e2e/test_deployed.py",
    "tests/faults/test_chaos.py",
    "tests/e2e/test_main_job.py",
    "tests/e2e/test_up.py",
    "tests/e2e/test_documentation.py",
    "tests/browser/test_screens.py",
    "tests/browser/test_uploads.py",
)
"""They begin first, so that no process works long after the others."""
NOT_PROVED = "nothing is proved about"
TURNS = pytest.StashKey[Turns]()
# How fast examples run says how busy the machine is. All else is of the profile in force, another where CI is set.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_trace() -> Iterator[None]:
    """Functions that run in this thread begin a trace, which would last until the next one."""
    token = current_trace.set(None)
    yield
    current_trace.reset(token)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TURNS] = Turns(open_run(config))


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[TURNS].close()
    close_run(config)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their argument: both processes must collect the same ids, and an archive holds the time."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        path = item.nodeid.partition("::")[0]
        return LONGEST.index(path) if path in LONGEST else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[TURNS].take(serial=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    if item.get_closest_marker("serial") is not None:
        item.config.stash[TURNS].take(serial=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.config.stash[TURNS].end()  # before the servers are stopped, which waits for other processes' tests


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what this machine could not prove."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reason for reason in reasons if NOT_PROVED in reason):
        terminalreporter.write_line(reason.removeprefix("Skipped: "), yellow=True)


def fixture_of(name: str, *, fixture: str | None = None) -> Callable[[], Iterator[Environment]]:
    """The run's one server of that kind; the fixture's value is how to reach it, as settings."""

    def server() -> Iterator[Environment]:
        with shared(name) as environment:
            yield environment

    return pytest.fixture(scope="session", name=fixture or name)(server)


postgres_server = fixture_of("postgres", fixture="postgres_server")
valkey = fixture_of("valkey")
milvus = fixture_of("milvus")
models = fixture_of("models")
llm = fixture_of("llm")


@pytest.fixture(scope="session")
def postgres(postgres_server: Environment, worker_id: str) -> Environment:
    """A database that only this process uses, on the run's one server."""
    return own_database(postgres_server, f"contracts_{worker_id}")


@pytest.fixture(scope="session")
def database(postgres_server: Environment, worker_id: str) -> Iterator[Database]:
    """This process's own database of the run's one Postgres, its schema up to date.

    All tests share its connections and compiled statements, which take longer to make than most tests run.
    """
    with migrated_database(postgres_server, f"functions_{worker_id}") as made:
        yield made


@pytest.fixture(scope="session")
def cloud() -> Iterator[Environment]:
    """A cloud that only this process uses: whoever polls its queues takes all their messages."""
    with serving("cloud") as environment:
        yield environment


@pytest.fixture(scope="session")
def pgbouncer_program() -> Path:
    """The stand-in for RDS Proxy, a package of Debian's; a machine without it is told what was not proved."""
    try:
        return binary()
    except StackError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{NOT_PROVED} transaction poolers: {error}")


@pytest.fixture(scope="session")
def promtool() -> Path:
    """What checks rules of Prometheus, a part of a package of Debian's."""
    found = shutil.which("promtool")
    if found is None and os.environ.get("CI"):
        pytest.fail("promtool is missing: Debian's package `prometheus` has it")
    if found is None:
        pytest.skip(f"{NOT_PROVED} the rules of Prometheus: there is no promtool")
    return Path(found)


@pytest.fixture(scope="session")
def tesseract_program() -> Path:
    """What recognises text, a package of Debian's; a machine without it is told what was not proved."""
    found = shutil.which(PROGRAM)
    if found is None and os.environ.get("CI"):
        raise LookupError(f"{PROGRAM} is not installed: apt-get install tesseract-ocr (Debian, Ubuntu)")
    if found is None:
        pytest.skip(f"{NOT_PROVED} text recognition: {PROGRAM} is not installed")
    return Path(found)


@pytest.fixture(scope="session")
def pooler(pgbouncer_program: Path) -> Iterator[Environment]:
    """A Postgres of its own behind a transaction pooler."""
    with serving("postgres", "pgbouncer") as environment:
        yield environment
