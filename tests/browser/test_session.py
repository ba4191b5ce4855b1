"""Signing in and out, and a key that ends while it is in use."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from modulo.cli.sign_in import LINK_MINUTES, SignInLinks
from modulo_client import Modulo, Unauthenticated
from tests.browser.conftest import NewConsole
from tests.browser.stack import operate
from tests.servers import Environment

REFUSED = "refuses this key"
LINK_REFUSED = "The link is unknown, was used, or has expired"


def test_a_key_that_ends_signs_out_and_nothing_is_left(new_console: NewConsole, new_key, stack: Environment) -> None:
    user = f"leaving-{uuid4().hex[:6]}"
    key = new_key(user)
    console = new_console(key=key)
    console.expected = {401}
    page = console.page
    page.get_by_role("button", name="Create a collection").click()
    page.get_by_role("dialog").get_by_label("Name").fill("secret plans")
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    listed = operate(stack["data"], "keys", "list", "--tenant", "demo").splitlines()
    [line] = [line for line in listed if user in line]
    operate(stack["data"], "keys", "revoke", line.split()[0], "--tenant", "demo")
    with Modulo(stack["url"], key) as client:
        while accepted(client):
            page.wait_for_timeout(100)
    console.visit("/")
    expect(page.get_by_role("alert")).to_contain_text(REFUSED)
    expect(page.get_by_label("API key")).to_be_visible()
    expect(page.get_by_text("secret plans")).to_have_count(0)
    assert key not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert key not in page.content()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def accepted(client: Modulo) -> bool:
    try:
        client.me()
    except Unauthenticated:
        return False
    return True


def test_a_wrong_key_is_told_and_a_right_one_signs_in(new_console: NewConsole, stack: Environment) -> None:
    console = new_console(key=None)
    console.expected = {401}
    page = console.visit("/")
    page.get_by_label("API key").fill("mod_nobody_has_this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("API key").fill(stack["key"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()


def test_the_key_of_a_link_is_not_left_in_the_address(new_console: NewConsole, stack: Environment) -> None:
    page = new_console().page
    assert stack["key"] not in page.url
    page.reload()
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()


def test_signing_out_forgets_the_key(new_console: NewConsole) -> None:
    page = new_console().page
    page.get_by_role("button", name="Sign out").locator("visible=true").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    assert re.search(r"/(#/?)?$", page.url)


@pytest.fixture
def links(stack: Environment) -> SignInLinks:
    """The links of the server."""
    return SignInLinks(Path(stack["data"]) / "sign-in")


def test_a_one_time_link_signs_in_once(new_console: NewConsole, links: SignInLinks) -> None:
    code = links.create("demo", "demo")
    console = new_console(key=None)
    page = console.visit(f"signin={code}")
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    assert code not in page.url
    assert code not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    page.reload()
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    another = new_console(key=None)
    another.expected = {401}
    page = another.visit(f"signin={code}")
    expect(page.get_by_role("alert")).to_contain_text(LINK_REFUSED)
    expect(page.get_by_label("API key")).to_be_visible()
    assert code not in page.url


def test_a_key_in_the_address_signs_in_where_the_tab_is_open_already(
    new_console: NewConsole, stack: Environment
) -> None:
    page = new_console(key=None).visit("/")
    expect(page.get_by_label("API key")).to_be_visible()
    page.goto(f"{stack['origin']}/#key={stack['key']}")
    expect(page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    assert stack["key"] not in page.url


def test_a_used_link_leaves_whoever_is_signed_in(new_console: NewConsole, links: SignInLinks) -> None:
    console = new_console()
    console.expected = {401}
    code = links.create("demo", "demo")
    links.claim(code)
    with console.page.expect_response(lambda response: response.url.endswith("/sign-in") and response.status == 401):
        console.visit(f"signin={code}")
    expect(console.page.get_by_role("heading", name="Collections", level=1)).to_be_visible()
    console.page.reload()
    expect(console.page.get_by_role("heading", name="Collections", level=1)).to_be_visible()


def test_a_link_that_has_expired_is_refused(new_console: NewConsole, stack: Environment) -> None:
    before = datetime.now(UTC) - timedelta(minutes=LINK_MINUTES, seconds=1)
    code = SignInLinks(Path(stack["data"]) / "sign-in", now=lambda: before).create("demo", "demo")
    console = new_console(key=None)
    console.expected = {401}
    page = console.visit(f"signin={code}")
    expect(page.get_by_role("alert")).to_contain_text(LINK_REFUSED)
