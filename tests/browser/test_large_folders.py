"""Folders of thousands of files in the console: what is drawn, kept and asked."""

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import Console, text_file
from tests.browser.test_uploads import UPLOAD, choose, is_sent, names_in

MANY = 1_000
DRAWN = 100
AT_ONCE = 3
MAX_ATTEMPTS = 5
"""Of one file, as long as the server answers others."""
COUNT_KEPT = """() => new Promise((done) => {
  const opening = indexedDB.open("modulo.uploads");
  opening.onsuccess = () => {
    const counting = opening.result.transaction("waiting").objectStore("waiting").count();
    counting.onsuccess = () => (opening.result.close(), done(counting.result));
  };
})"""


def queue_of(console: Console) -> Locator:
    return console.page.get_by_role("region", name="Uploads")


def problem(route: Route, status: int, code: str, detail: str) -> None:
    body = {"type": f"urn:modulo:problem:{code}", "title": "Refused", "status": status, "detail": detail}
    route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(body))


def choose_folder(console: Console, folder: Path) -> None:
    for number in range(MANY):
        path = folder / f"{number // 200}" / f"лист {number:04}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"This is sheet {number}.")
    console.page.get_by_label("Folder to upload").set_input_files(folder)


def test_a_folder_of_a_thousand_files_is_queued_kept_and_drawn_in_part(
    new_console: NewConsole, new_collection: NewCollection, tmp_path: Path
) -> None:
    collection, console = new_collection(), new_console()
    page = console.page
    sent: list[Route] = []
    page.route(UPLOAD, lambda route: sent.append(route) if is_sent(route) else route.continue_())
    console.visit(f"/collections/{collection.id}/files")
    choose_folder(console, tmp_path)
    queue = queue_of(console)
    expect(queue.get_by_role("status")).to_have_text(f"0 of {MANY:,} ready")
    expect(queue.get_by_role("listitem")).to_have_count(DRAWN + 1)
    expect(queue.get_by_text(f"and {MANY - DRAWN} more")).to_be_visible()
    page.wait_for_function(f"async () => await ({COUNT_KEPT})() === {MANY}")
    assert len(sent) == AT_ONCE
    console.reload_when_allowed()
    expect(page.get_by_text(f"{MANY:,} uploads go on where the page was left.")).to_be_visible()
    expect(queue.get_by_role("listitem")).to_have_count(DRAWN + 1)
    assert len(sent) <= 2 * AT_ONCE


def test_a_full_quota_is_asked_for_once_and_what_is_left_goes_on_after_a_reload_until_it_is_cleared(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection(), new_console()
    console.expected = {429}
    page = console.page
    full, asked = True, 0

    def answer(route: Route) -> None:
        nonlocal asked
        if not is_sent(route):
            route.continue_()
            return
        asked += 1
        if full and asked > 5:
            problem(route, 429, "quota-exceeded", "Quota exceeded for files: 5.")
        else:
            route.continue_()

    page.route(UPLOAD, answer)
    console.visit(f"/collections/{collection.id}/files")
    names = [f"leaf-{number:02}.txt" for number in range(40)]
    choose(console, [text_file(name, f"This is {name}.") for name in names])
    queue = queue_of(console)
    expect(queue.get_by_role("status")).to_have_text("5 of 40 ready, 35 failed", timeout=180_000)
    assert asked <= 5 + AT_ONCE, "files were tried in vain"
    expect(queue.get_by_role("button", name="Retry 35 failed")).to_be_visible()
    page.wait_for_function(f"async () => await ({COUNT_KEPT})() === 35")
    full = False
    console.reload_when_allowed()
    expect(page.get_by_text("35 uploads go on where the page was left.")).to_be_visible()
    expect(queue.get_by_role("status")).to_have_text("35 of 35 ready", timeout=180_000)
    assert names_in(collection) == names
    full, asked = True, 5
    choose(console, [text_file(f"more-{name}", f"This is another {name}.") for name in names[:4]])
    expect(queue.get_by_role("status")).to_contain_text("4 failed")
    queue.get_by_role("button", name="Close uploads").click()
    page.wait_for_function(f"async () => await ({COUNT_KEPT})() === 0")


def test_a_server_that_goes_away_holds_the_queue_and_fails_no_file(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection(), new_console()
    console.expected = {503}
    page = console.page
    page.clock.install()
    console.visit(f"/collections/{collection.id}/files")
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    away, tried = True, 0

    def answer(route: Route) -> None:
        nonlocal tried
        if not away:
            route.continue_()
            return
        tried += is_sent(route)
        problem(route, 503, "unavailable", "The server is away.")

    page.route(re.compile(r"/api/"), answer)
    names = [f"page-{number:02}.txt" for number in range(9)]
    choose(console, [text_file(name, f"This is {name}.") for name in names])
    queue = queue_of(console)
    for attempt in range(1, 1 + 2 * MAX_ATTEMPTS):
        while tried < AT_ONCE * attempt:
            page.wait_for_timeout(20)
        expect(queue.get_by_text("Next try in")).to_have_count(AT_ONCE)
        page.clock.run_for(31_000)
    expect(queue.get_by_role("status")).to_have_text("0 of 9 ready")
    away = False
    page.clock.run_for(31_000)
    page.clock.resume()
    expect(queue.get_by_role("status")).to_have_text("9 of 9 ready", timeout=180_000)
    assert names_in(collection) == names
