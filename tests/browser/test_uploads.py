"""The upload queue: one bad file stops no other, and files go where they were dropped."""

import json
import re

from playwright.sync_api import Route, expect

from modulo_client import Collection
from tests.browser.conftest import NewCollection, NewConsole
from tests.browser.console import Console, text_file

UPLOAD = re.compile(r"/api/collections/[^/]+/files$")
BATCH = 30


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
