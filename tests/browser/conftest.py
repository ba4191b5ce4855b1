"""One stack for the run, one browser for each file of tests, one tab for each test."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from modulo.cli import pages
from modulo.cli.stack.stack import ENVIRONMENT_FILE
from modulo_client import Collection, Modulo
from tests.browser.console import LOOKS, PATIENCE_MILLISECONDS, Console, Look
from tests.browser.stack import operate, started_stack
from tests.conftest import NOT_PROVED
from tests.servers import Environment, shared_as

MAX_WAIT_SECONDS = 120.0
NewConsole = Callable[..., Console]
NewCollection = Callable[..., Collection]


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """The browser, a package of Debian's; a machine without it is told what was not proved."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        raise LookupError("chromium is not installed: apt-get install chromium (Debian, Ubuntu)")
    if found is None:
        pytest.skip(f"{NOT_PROVED} the console: chromium is not installed")
    program = Path(found).parents[1] / "lib" / "chromium" / "chromium"  # the other one is a script with fixed paths
    return str(program) if program.is_file() else found


@pytest.fixture(scope="session")
def console_files() -> Path:
    """What the console is built into; where npm cannot be reached, its tests say so."""
    if not (pages.CONSOLE / "index.html").is_file():
        if os.environ.get("CI"):
            raise LookupError("the console is not built: make console")
        pytest.skip(f"{NOT_PROVED} the console: it is not built (make console)")
    return pages.CONSOLE


@pytest.fixture(scope="session")
def stack(chromium_program: str, console_files: Path) -> Iterator[Environment]:
    with shared_as("up", started_stack) as environment:
        yield environment


@pytest.fixture(scope="module")
def browser(chromium_program: str) -> Iterator[Browser]:
    """Closed after each file of tests: while it is open, no test of the same process may run an event loop."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium_program, args=arguments, timeout=PATIENCE_MILLISECONDS
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def modulo(stack: Environment) -> Iterator[Modulo]:
    """The API as the demo's user has it, to prepare and to check."""
    with Modulo(stack["url"], stack["key"]) as client:
        yield client


@pytest.fixture
def new_console(browser: Browser, stack: Environment, new_collection: NewCollection) -> Iterator[NewConsole]:
    """Open tabs, which are closed before collections end; none of them may have had a fault."""
    settings = json.loads((Path(stack["data"]) / ENVIRONMENT_FILE).read_text())
    opened: list[Console] = []

    def new(look: Look = LOOKS[0], *, key: str | None = stack["key"]) -> Console:
        console = Console(browser, look, (stack["origin"], settings["AWS_ENDPOINT_URL"]))
        opened.append(console)
        return console.sign_in(key) if key else console

    yield new
    for console in opened:
        console.close()
    assert [fault for console in opened for fault in console.faults] == []


@pytest.fixture
def new_collection(modulo: Modulo, tmp_path: Path) -> Iterator[NewCollection]:
    """Make collections of texts by file name, whose names end in something of their own; they end with the test."""
    made: list[Collection] = []

    def new(name: str = "papers", texts: Mapping[str, str] | None = None) -> Collection:
        collection = modulo.collections.create(f"{name} {uuid4().hex[:6]}")
        made.append(collection)
        for file, text in (texts or {}).items():
            (tmp_path / file).write_text(text)
        added = collection.add(*(tmp_path / file for file in texts), max_wait=MAX_WAIT_SECONDS) if texts else []
        assert [one.ready for one in added] == [True] * len(texts or {})
        return collection

    yield new
    for collection in made:
        collection.delete()


@pytest.fixture
def new_key(stack: Environment) -> Callable[[str], str]:
    """Make an API key of a user of the demo's tenant."""

    def new(user: str) -> str:
        return operate(stack["data"], "keys", "create", "--tenant", "demo", "--user", user, "--name", user)

    return new
