"""The upload queue: one bad file stops no other, and files go where they were dropped."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
from playwright.sync_api import Route, expect

from modulo_client import Collection, Modulo
from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import Console, text_file
from tests.browser.stack import operate
from tests.servers import Environment

UPLOAD = re.compile(r"/api/collections/[^/]+/files$")
BATCH = 30
MANY = 1_000
ROWS = 50
"""That a page of the table has."""
NAMES = [
    'say "yes".txt',
    "literal %22.txt",
    'both " and %22.txt',
    "it's; a=b & <c>.txt",
    "Übersicht ½.txt",
    "сводка.txt",
    "ملخص.txt",
    "סיכום.txt",
    "概要 まとめ 요약.txt",
    "सारांश.txt",
    "🦉 owl.txt",
]


def choose(console: Console, files: list[dict[str, object]]) -> None:
    """Choose files in the form of the screen."""
    console.page.get_by_label("Files to upload").set_input_files(files)


def is_sent(route: Route) -> bool:
    """Whether a request uploads a file; another lists them."""
    return route.request.method == "POST"


def names_in(collection: Collection) -> list[str]:
    return sorted(file.name for file in collection.files.list())


def test_a_batch_goes_on_past_files_that_are_refused_and_files_that_cannot_be_read(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection(), new_console()
    console.expected = {422}
    console.visit(f"/collections/{collection.id}/files")
    good = [text_file(f"note-{number:02}.txt", f"Note {number} is about dike {number}.") for number in range(BATCH - 2)]
    refused = {"name": "program.exe", "mimeType": "application/octet-stream", "buffer": b"MZ\x90\x00"}
    torn = {"name": "torn.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\nnothing follows"}
    choose(console, [refused, *good[:10], torn, *good[10:]])
    queue = console.page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text(f"{BATCH - 2} of {BATCH} ready, 2 failed", timeout=180_000)
    for name in ("program.exe", "torn.pdf"):
        told = queue.get_by_role("listitem").filter(has_text=name).locator(".bad")
        expect(told).not_to_be_empty()
    ready = [file.name for file in collection.files.list() if file.stage == "ready"]
    assert sorted(ready) == [each["name"] for each in good]


def test_files_go_to_the_collection_they_were_chosen_for_whatever_is_shown_meanwhile(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    first, second, console = new_collection("first"), new_collection("second"), new_console()
    held: list[Route] = []
    released = False

    def hold(route: Route) -> None:
        if is_sent(route) and not released:
            held.append(route)
        else:
            route.continue_()

    console.page.route(UPLOAD, hold)
    console.visit(f"/collections/{first.id}/files")
    names = [f"page-{number:02}.txt" for number in range(12)]
    with console.page.expect_request(lambda request: request.method == "POST" and bool(UPLOAD.search(request.url))):
        choose(console, [text_file(name, f"This is {name}.") for name in names])
    console.visit(f"/collections/{second.id}/files")
    expect(console.page.get_by_role("heading", name="Drop files here")).to_be_visible()
    released = True
    for route in held:
        route.continue_()
    queue = console.page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text("12 of 12 ready", timeout=180_000)
    assert names_in(first) == names
    assert names_in(second) == []
    assert held


def test_an_upload_that_no_server_answers_is_tried_again_by_itself(
    new_console: NewConsole, new_collection: NewCollection
) -> None:
    collection, console = new_collection(), new_console()
    console.expected = {429}
    problem = {"type": "urn:modulo:problem:unavailable", "title": "Unavailable", "status": 503, "detail": "Not now."}
    asked: list[str] = []

    def answer(route: Route) -> None:
        if not is_sent(route):
            route.continue_()
            return
        asked.append(route.request.headers["idempotency-key"])
        if len(asked) > 1:
            route.continue_()
            return
        kind, headers = "application/problem+json", {"Retry-After": "1"}
        route.fulfill(status=429, headers=headers, content_type=kind, body=json.dumps(problem))

    console.page.route(UPLOAD, answer)
    console.visit(f"/collections/{collection.id}/files")
    choose(console, [text_file("sea.txt", "The sea is deep.")])
    queue = console.page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text("1 of 1 ready")
    assert len(asked) == 2
    assert len(set(asked)) == 1, "the second attempt could double the file"


def test_uploads_go_on_after_a_reload_and_none_twice(new_console: NewConsole, new_collection: NewCollection) -> None:
    collection, console = new_collection(), new_console()
    page = console.page
    keys: list[str] = []

    def first_three_hang(route: Route) -> None:
        if not is_sent(route):
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 3:
            route.continue_()

    page.route(UPLOAD, first_three_hang)
    console.visit(f"/collections/{collection.id}/files")
    names = [f"sheet-{number:02}.txt" for number in range(8)]
    with page.expect_request(lambda request: request.method == "POST" and bool(UPLOAD.search(request.url))):
        choose(console, [text_file(name, f"This is {name}.") for name in names])
    page.wait_for_function(
        """() => new Promise((done) => {
          const opening = indexedDB.open("modulo.uploads");
          opening.onsuccess = () => {
            const counting = opening.result.transaction("waiting").objectStore("waiting").count();
            counting.onsuccess = () => (opening.result.close(), done(counting.result === 8));
          };
        })"""
    )
    console.reload_when_allowed()
    queue = page.get_by_role("region", name="Uploads")
    expect(page.get_by_text("8 uploads go on where the page was left.")).to_be_visible()
    expect(queue.get_by_role("status")).to_have_text("8 of 8 ready", timeout=180_000)
    assert names_in(collection) == names
    assert len(keys) == 3 + len(names)
    assert len(set(keys)) == len(names), "a file was sent under another key: it could be there twice"
    page.reload()
    expect(page.get_by_role("row")).to_have_count(1 + len(names))
    expect(queue).to_have_count(0)


def test_uploads_wait_where_the_key_ends_and_go_on_with_the_next_one(
    new_console: NewConsole, new_key, stack: Environment
) -> None:
    user = f"uploader-{uuid4().hex[:6]}"
    console = new_console(key=new_key(user))
    console.expected = {401}
    page = console.page
    page.get_by_role("button", name="Create a collection").click()
    page.get_by_role("dialog").get_by_label("Name").fill(user)
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Drop files here")).to_be_visible()
    sent: list[str] = []

    def revoke_at_the_third(route: Route) -> None:
        if is_sent(route):
            sent.append(route.request.url)
            if len(sent) == 3:
                listed = operate(stack["data"], "keys", "list", "--tenant", "demo").splitlines()
                [line] = [line for line in listed if user in line]
                operate(stack["data"], "keys", "revoke", line.split()[0], "--tenant", "demo")
        route.continue_()

    page.route(UPLOAD, revoke_at_the_third)
    names = [f"leaf-{number:02}.txt" for number in range(9)]
    choose(console, [text_file(name, f"This is {name}.") for name in names])
    expect(page.get_by_role("alert")).to_contain_text("refuses this key")
    page.unroute(UPLOAD)
    page.get_by_label("API key").fill(new_key(user))
    page.get_by_role("button", name="Sign in").click()
    queue = page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text("9 of 9 ready", timeout=180_000)
    console.close()  # which would ask for the collection that is deleted
    with Modulo(stack["url"], new_key(user)) as client:
        collection = client.collections.get(user)
        assert names_in(collection) == names
        collection.delete()


def test_a_file_keeps_its_name_whatever_script_it_is_in(new_console: NewConsole, new_collection: NewCollection) -> None:
    collection, console = new_collection(), new_console()
    console.visit(f"/collections/{collection.id}/files")
    choose(console, [text_file(name, f"This is {name}.") for name in NAMES])
    queue = console.page.get_by_role("region", name="Uploads")
    expect(queue.get_by_role("status")).to_have_text(f"{len(NAMES)} of {len(NAMES)} ready", timeout=180_000)
    assert names_in(collection) == sorted(NAMES)
    for name in NAMES:
        expect(console.page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert console.too_wide() == []


def test_a_table_of_a_thousand_files_shows_a_page_at_a_time(
    new_console: NewConsole, new_collection: NewCollection, stack: Environment
) -> None:
    collection, console = new_collection(), new_console()
    path = f"{stack['url']}/collections/{collection.id}/uploads"
    with httpx.Client(headers={"Authorization": f"Bearer {stack['key']}"}, timeout=60) as http:

        def reserve(number: int) -> int:
            return http.post(path, json={"name": f"sheet-{number:04}.txt", "size_bytes": 10}).status_code

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(reserve, range(MANY))) == {201}
    page = console.visit(f"/collections/{collection.id}/files")
    pager = page.get_by_role("navigation", name="Pages of the list")
    expect(pager).to_contain_text(f"1 to {ROWS} of 1,000")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(1 + ROWS)
    first = page.get_by_role("row").nth(1)
    if "sheet-0000.txt" not in first.inner_text():
        page.get_by_role("button", name="Name", exact=True).click()
    expect(first).to_contain_text("sheet-0000.txt")
    pager.get_by_role("button", name="Next page").click()
    expect(first).to_contain_text(f"sheet-00{ROWS}.txt")
    page.get_by_label("Filter files by name or type").fill("sheet-0999")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(first).to_contain_text("sheet-0999.txt")
