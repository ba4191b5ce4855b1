"""Signing in at an identity provider: a real issuer on this machine, the console of a server that trusts it."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from modulo.cli.prefork import listener
from modulo.cli.stack.process import answers_http
from modulo.cli.stack.stack import ENVIRONMENT_FILE
from modulo.cli.up import product_environment
from tests.browser.console import LOOKS, Console, Look, text_file
from tests.doubles.oidc_issuer import OidcIssuer
from tests.servers import POLL_SECONDS, Environment

UPLOAD = re.compile(r"/api/collections/[^/]+/files$")
START_SECONDS = 120.0


@pytest.fixture(scope="module")
def served(stack: Environment) -> Iterator[tuple[str, str, OidcIssuer]]:
    """The origin of a server beside the stack's own, its object store, and the issuer it trusts."""
    settings = json.loads((Path(stack["data"]) / ENVIRONMENT_FILE).read_text())
    with OidcIssuer("modulo-console", "modulo-api", "acme") as issuer, ExitStack() as ending:
        with listener("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        origin = f"http://127.0.0.1:{port}"
        issuer.redirect_uri = f"{origin}/"
        environment = product_environment(settings) | {
            "OIDC_ISSUER": issuer.url,
            "OIDC_AUDIENCE": issuer.audience,
            "OIDC_CLIENT_ID": issuer.client_id,
            "OIDC_TOKEN_ORIGIN": issuer.token_origin,
        }
        command = [sys.executable, "-m", "modulo.cli.main", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        ending.callback(process.wait, 60)
        ending.callback(process.send_signal, signal.SIGTERM)
        give_up = time.monotonic() + START_SECONDS
        while not answers_http(port, "/console.json"):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < give_up, "the server does not answer"
            time.sleep(POLL_SECONDS)
        yield origin, settings["AWS_ENDPOINT_URL"], issuer


@pytest.fixture
def issuer(served: tuple[str, str, OidcIssuer]) -> OidcIssuer:
    """As it is at first."""
    *_, issuer = served
    issuer.refreshes, issuer.problem, issuer.wrong_nonce, issuer.token_endpoint = True, "", False, ""
    issuer.faults.clear()
    issuer.asked.clear()
    return issuer


@pytest.fixture
def new_visit(browser: Browser, served: tuple[str, str, OidcIssuer], issuer: OidcIssuer) -> Iterator[object]:
    """Open the console in a browser that was never here."""
    origin, store, _ = served
    opened: list[Console] = []

    def visit(path: str = "/", look: Look = LOOKS[0]) -> Console:
        opened.append(Console(browser, look, (origin, store, issuer.url, issuer.token_origin)))
        opened[-1].visit(path)
        return opened[-1]

    yield visit
    for console in opened:
        console.close()
    assert [fault for console in opened for fault in console.faults] == []


def press(page: Page) -> None:
    page.get_by_role("button", name="Sign in with").click()


def allow(page: Page, user: str = "ada") -> None:
    """Sign in at the issuer, and let the console in."""
    page.get_by_label("User").fill(user)
    page.get_by_role("button", name="Allow").click()


def signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out").locator("visible=true")).to_be_visible()


def sign_out(page: Page, issuer: OidcIssuer) -> None:
    """Sign out here and at the issuer, which sends the browser back."""
    with page.expect_request(lambda request: request.url.startswith(f"{issuer.url}/end")):
        page.get_by_role("button", name="Sign out").locator("visible=true").click()
    page.wait_for_url(issuer.redirect_uri)


def tokens_of(page: Page) -> dict[str, str]:
    kept: dict[str, str] = json.loads(page.evaluate("sessionStorage.getItem('modulo.oidc')"))
    return kept


def new_collection(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Create a collection|New collection")).first.click()
    page.get_by_role("dialog").get_by_label("Name").fill(f"plans {uuid4().hex[:6]}")
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_form_offers_the_provider_first(new_visit, look: Look) -> None:
    console = new_visit(look=look)
    expect(console.page.get_by_role("button", name="Sign in with 127.0.0.1")).to_be_focused()
    expect(console.page.get_by_label("API key")).to_be_visible()
    assert console.unreadable() == []
    assert console.too_wide() == []


def test_who_signs_in_is_back_where_they_were_and_stays_after_a_reload(new_visit, issuer: OidcIssuer) -> None:
    page = new_visit().page
    press(page)
    allow(page, "grace")
    signed_in(page)
    new_collection(page)
    at = page.url
    sign_out(page, issuer)
    page.goto(at)
    press(page)
    allow(page, "grace")
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    assert page.url == at
    page.reload()
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    assert issuer.faults == []


def test_nothing_of_a_sign_in_stays_in_the_address_or_in_the_browser(new_visit, issuer: OidcIssuer) -> None:
    page = new_visit().page
    press(page)
    allow(page)
    signed_in(page)
    assert "?" not in page.url
    assert tokens_of(page)["access"] not in page.content()
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("sessionStorage.getItem('modulo.oidc.pending')") is None


def test_signing_out_ends_the_session_at_the_provider(new_visit, issuer: OidcIssuer) -> None:
    page = new_visit().page
    press(page)
    allow(page)
    signed_in(page)
    sign_out(page, issuer)
    press(page)
    expect(page.get_by_label("User")).to_be_visible()  # it asks who it is
    assert issuer.faults == []


def test_who_declines_is_told_and_may_try_again(new_visit) -> None:
    page = new_visit().page
    press(page)
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("alert")).to_contain_text("did not let you in, or you declined")
    assert "?" not in page.url
    press(page)
    allow(page)
    signed_in(page)


def test_who_goes_back_from_the_provider_may_sign_in_otherwise(new_visit) -> None:
    page = new_visit().page
    press(page)
    expect(page.get_by_label("User")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("API key")).to_be_editable()
    press(page)
    allow(page)
    signed_in(page)


@pytest.mark.parametrize("answer", [{"code": "stolen"}, {"error": "access_denied"}], ids=["code", "error"])
@pytest.mark.parametrize("begun", [False, True], ids=["never-begun", "another-begun"])
def test_an_answer_with_another_state_signs_nobody_in(new_visit, issuer: OidcIssuer, begun: bool, answer) -> None:
    console = new_visit()
    page = console.page
    if begun:
        press(page)
        expect(page.get_by_label("User")).to_be_visible()
    query = urlencode({**answer, "state": "of-somebody-else", "iss": issuer.url})
    page.goto(f"{console.origin}/?{query}")
    expect(page.get_by_role("alert")).to_contain_text("was not begun in this tab")
    assert "POST /token" not in issuer.asked
    press(page)
    allow(page)
    signed_in(page)


def test_an_answer_of_another_issuer_signs_nobody_in(new_visit, issuer: OidcIssuer) -> None:
    console = new_visit()
    page = console.page
    press(page)
    expect(page.get_by_label("User")).to_be_visible()
    page.goto(console.origin)
    state = json.loads(page.evaluate("sessionStorage.getItem('modulo.oidc.pending')"))["state"]
    page.goto(f"{console.origin}/?{urlencode({'code': 'x', 'state': state, 'iss': 'https://evil.example'})}")
    expect(page.get_by_role("alert")).to_contain_text("cannot be trusted")
    assert "POST /token" not in issuer.asked


def test_a_token_for_another_sign_in_is_not_taken(new_visit, issuer: OidcIssuer) -> None:
    issuer.wrong_nonce = True
    page = new_visit().page
    press(page)
    allow(page)
    expect(page.get_by_role("alert")).to_contain_text("cannot be trusted")
    assert page.evaluate("sessionStorage.length") == 0


def test_what_the_provider_says_is_told(new_visit, issuer: OidcIssuer) -> None:
    issuer.problem = "temporarily_unavailable"
    page = new_visit().page
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("the issuer is being mended")


def test_a_provider_that_does_not_answer_is_told(new_visit, issuer: OidcIssuer) -> None:
    console = new_visit()
    page = console.page
    page.route(f"{issuer.url}/.well-known/**", lambda route: route.abort())
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("does not answer this page")
    page.unroute(f"{issuer.url}/.well-known/**")
    press(page)
    allow(page)
    signed_in(page)


def test_a_token_that_the_server_does_not_take_is_told(new_visit, issuer: OidcIssuer) -> None:
    console = new_visit()
    console.expected = {401}
    page = console.page
    issuer.tenant = ""
    press(page)
    allow(page)
    expect(page.get_by_role("alert")).to_contain_text("The token names no tenant")
    issuer.tenant = "acme"


def test_a_token_that_expires_during_an_upload_is_renewed_unseen(new_visit, issuer: OidcIssuer) -> None:
    console = new_visit()
    console.expected = {401}
    page = console.page
    press(page)
    allow(page, "hedy")
    signed_in(page)
    new_collection(page)
    before = tokens_of(page)
    expired = f"Bearer {issuer.access_token('hedy', seconds=-3_600)}"
    refused: list[str] = []

    def expire(route: Route) -> None:
        headers = route.request.headers
        if route.request.method == "POST" and headers["authorization"] == f"Bearer {before['access']}":
            refused.append(route.request.url)
            route.continue_(headers={**headers, "authorization": expired})
        else:
            route.continue_()

    page.route(UPLOAD, expire)
    names = [f"dike-{number}.txt" for number in range(5)]
    page.get_by_label("Files to upload").set_input_files([text_file(name, f"About {name}.") for name in names])
    queue = page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text("5 of 5 ready", timeout=180_000)
    assert refused
    assert issuer.asked.count("POST /token") == 2, "several uploads renewed the token, and once is enough"
    assert tokens_of(page)["refresh"] != before["refresh"]
    assert issuer.faults == []


@pytest.mark.parametrize("refreshes", [True, False], ids=["taken-back", "never-issued"])
def test_uploads_wait_where_a_sign_in_ends_and_go_on_after_the_next(
    new_visit, issuer: OidcIssuer, refreshes: bool
) -> None:
    issuer.refreshes = refreshes
    console = new_visit()
    console.expected = {400, 401}
    page = console.page
    press(page)
    allow(page, "lise")
    signed_in(page)
    new_collection(page)
    at = page.url
    expired = f"Bearer {issuer.access_token('lise', seconds=-3_600)}"

    def expire(route: Route) -> None:
        old = route.request.method == "POST" and route.request.headers["authorization"] == f"Bearer {first}"
        route.continue_(headers={**route.request.headers, "authorization": expired} if old else None)

    first = tokens_of(page)["access"]
    page.route(UPLOAD, expire)
    issuer.end_grants()
    page.get_by_label("Files to upload").set_input_files(
        [text_file(f"page-{number}.txt", f"This is page {number}.") for number in range(4)]
    )
    expect(page.get_by_role("alert")).to_contain_text("Your sign-in has ended")
    press(page)  # who is signed in at the provider is not asked again
    queue = page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text("4 of 4 ready", timeout=180_000)
    assert page.url == at


def test_tokens_may_be_issued_at_another_origin_that_the_server_names(new_visit, issuer: OidcIssuer) -> None:
    issuer.token_endpoint = f"{issuer.token_origin}/token"
    console = new_visit()
    console.expected = {401}
    page = console.page
    press(page)
    allow(page, "mary")
    signed_in(page)
    first = tokens_of(page)["access"]
    expired = f"Bearer {issuer.access_token('mary', seconds=-3_600)}"

    def expire(route: Route) -> None:
        headers = route.request.headers
        old = headers.get("authorization") == f"Bearer {first}"
        route.continue_(headers={**headers, "authorization": expired} if old else None)

    page.route("**/api/**", expire)
    new_collection(page)
    assert tokens_of(page)["access"] != first
    assert issuer.asked.count(f"POST {issuer.token_origin}/token") == 2
    assert issuer.asked.count("POST /token") == 2
    assert issuer.faults == []


def test_no_code_goes_to_an_origin_that_the_server_does_not_name(new_visit, issuer: OidcIssuer) -> None:
    issuer.token_endpoint = "https://tokens.evil.example/token"
    page = new_visit().page
    press(page)
    expect(page.get_by_role("alert")).to_contain_text("issues tokens at https://tokens.evil.example")
    expect(page.get_by_role("alert")).to_contain_text("OIDC_TOKEN_ORIGIN")
    assert "GET /authorize" not in issuer.asked


def test_the_page_may_speak_to_the_issuer_and_no_other(new_visit, issuer: OidcIssuer, served) -> None:
    origin, store, _ = served
    response = new_visit().page.goto(origin)
    assert response is not None
    policy = response.headers["content-security-policy"]
    [connect] = [part for part in policy.split(";") if part.strip().startswith("connect-src")]
    assert connect.split() == ["connect-src", "'self'", store, issuer.url, issuer.token_origin]


def test_a_server_without_a_provider_offers_none(new_console) -> None:
    page = new_console(key=None).visit("/")
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.get_by_role("button", name="Sign in with")).to_have_count(0)
