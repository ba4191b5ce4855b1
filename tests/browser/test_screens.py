"""Every screen, on a desktop and a phone, in both themes: no error, nothing refused, nothing that axe finds."""

import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from modulo.cli import documentation_site
from modulo_client import Collection, Modulo
from tests.browser.conftest import NewConsole
from tests.browser.console import LOOKS, Console, Look
from tests.conftest import NOT_PROVED

QUESTION = "How long does a full battery run the Aerie 3 without sun?"
SCREENS = ("home", "ask", "files", "file", "settings")


@pytest.fixture(scope="module")
def demo(modulo: Modulo) -> Collection:
    """The collection of the sample documents."""
    return modulo.collections.get("demo")


def shown(console: Console, screen: str, demo: Collection) -> Page:
    """Show a screen, and wait for what it is about."""
    page, at = console.page, f"/collections/{demo.id}"
    if screen == "home":
        expect(page.get_by_role("link", name="demo").locator("visible=true").first).to_be_visible()
    elif screen == "ask":
        console.visit(f"{at}/ask")
        expect(page.get_by_label("Question", exact=True)).to_be_visible()
    elif screen == "files":
        console.visit(f"{at}/files")
        expect(page.get_by_role("row")).to_have_count(1 + 6)
    elif screen == "file":
        file = demo.files.named("aerie-3-manual.pdf")
        assert file is not None
        console.visit(f"{at}/files/{file.id}")
        expect(page.get_by_text("Page 1", exact=True)).to_be_visible()
    else:
        console.visit(f"{at}/settings")
        expect(page.get_by_role("heading", name="Delete this collection")).to_be_visible()
    return page


@pytest.mark.parametrize("look", LOOKS, ids=str)
@pytest.mark.parametrize("screen", SCREENS)
def test_it_is_shown_without_a_fault(new_console: NewConsole, demo: Collection, screen: str, look: Look) -> None:
    console = new_console(look)
    shown(console, screen, demo)
    assert console.unreadable() == []
    assert console.too_wide() == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_who_signs_in_is_shown_a_form(new_console: NewConsole, look: Look) -> None:
    console = new_console(look, key=None)
    console.visit("/")
    expect(console.page.get_by_label("API key")).to_be_focused()
    assert console.unreadable() == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_an_answer_its_source_and_its_reasons_are_shown(new_console: NewConsole, demo: Collection, look: Look) -> None:
    console = new_console(look)
    console.visit(f"/collections/{demo.id}/ask")
    console.ask(QUESTION)
    answer = console.answer(QUESTION)
    answer.get_by_text("Why this answer").click()
    expect(answer.get_by_text("Written by")).to_be_visible()
    assert console.unreadable() == []
    answer.get_by_role("button", name="Source 1").first.click()
    expect(console.page.get_by_role("dialog", name="Source").locator("mark").first).to_be_visible()
    assert console.unreadable() == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_dialog_is_shown(new_console: NewConsole, look: Look) -> None:
    console = new_console(look)
    console.page.get_by_role("button", name="New collection").click()
    expect(console.page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    assert console.unreadable() == []


def test_who_has_no_collection_is_told_what_to_do(new_console: NewConsole, new_key) -> None:
    console = new_console(key=new_key("newcomer"))
    expect(console.page.get_by_role("heading", name="Create your first collection")).to_be_visible()
    assert console.unreadable() == []


@pytest.mark.parametrize("path", ["nowhere", "files", f"files/{quote('<img src=x onerror=alert(1)>')}"])
def test_a_collection_that_is_not_there_is_explained(new_console: NewConsole, path: str) -> None:
    console = new_console()
    console.expected = {404}
    console.visit(f"/collections/8f0e5d5c-2d0f-4a51-9a58-1d6c1d9b8a10/{path}")
    expect(console.page.get_by_role("heading", name="This collection is not here")).to_be_visible()


def test_a_file_that_is_not_there_is_explained(new_console: NewConsole, demo: Collection) -> None:
    console = new_console()
    console.expected = {404}
    page = console.visit(f"/collections/{demo.id}/files/8f0e5d5c-2d0f-4a51-9a58-1d6c1d9b8a10")
    expect(page.get_by_role("heading", name="This file is not here")).to_be_visible()
    page.get_by_role("link", name="See the collection's files").click()
    expect(page.get_by_role("heading", name="Files", level=1)).to_be_visible()


def test_a_file_that_the_server_cannot_show_now_is_not_said_to_be_missing(
    new_console: NewConsole, demo: Collection
) -> None:
    console = new_console()
    console.expected = {503}
    file = demo.files.named("aerie-3-manual.pdf")
    assert file is not None
    address = re.compile(rf"/files/{file.id}$")
    console.page.route(address, lambda route: route.fulfill(status=503, json={"detail": "The database is away."}))
    console.page.route(re.compile(r"/files\?"), lambda route: route.fulfill(json={"items": []}))
    page = console.visit(f"/collections/{demo.id}/files/{file.id}")
    expect(page.get_by_role("alert")).to_contain_text("The database is away.")
    console.page.unroute(address)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1, name="aerie-3-manual.pdf")).to_be_visible()


@pytest.mark.parametrize("look", [LOOKS[0], LOOKS[2]], ids=str)
@pytest.mark.parametrize("signed_in", [True, False])
def test_the_documentation_and_the_reference_are_linked(new_console: NewConsole, look: Look, signed_in: bool) -> None:
    console = new_console(look) if signed_in else new_console(look, key=None)
    if not signed_in:
        console.visit("/")
    links = console.page.get_by_role("navigation", name="Help").locator("visible=true").get_by_role("link")
    expect(links).to_have_text(["Documentation", "API reference"])
    links.last.click()
    expect(console.page.get_by_text("/api/search", exact=True).first).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_reference_of_the_api_is_shown(new_console: NewConsole, look: Look) -> None:
    console = new_console(look, key=None)
    console.page.goto(f"{console.origin}/api/docs")
    expect(console.page.get_by_text("/api/search", exact=True).first).to_be_visible()
    assert console.too_wide() == []
    console.page.locator("summary").first.click()
    expect(console.page.get_by_role("heading", name="Answers").first).to_be_visible()
    assert console.too_wide() == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_documentation_is_shown_and_on_a_desktop_searched(new_console: NewConsole, look: Look) -> None:
    if not Path(documentation_site.FOLDER, "index.html").is_file():
        pytest.skip(f"{NOT_PROVED} the documentation's website: it is not built (make site)")
    console = new_console(look, key=None)
    page = console.page
    page.goto(f"{console.origin}/docs/guides/start.html")
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    if look.device == "phone":
        return
    words, found = (
        page.get_by_role("textbox", name="Search"),
        page.get_by_role("search").get_by_role("heading", name="Glossary"),
    )
    for _ in range(10):  # what is typed before the theme's search listens is not looked for
        words.fill("")
        words.press_sequentially("tombstone")
        with suppress(AssertionError):
            expect(found).to_be_visible(timeout=5_000)
            break
        page.reload()
    expect(found).to_be_visible()
