"""Fetching what was added: from the address to the answer, and everything that can go wrong on the way."""

from datetime import datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from modulo.domain.errors import DeniedUrl, RefusedUrl, Unavailable, UnreachableUrl
from modulo.domain.files.web import FetchedContent, Validators
from modulo.runtime.queue_consumer import handle
from modulo.runtime.worker import function
from tests.doubles.memory_web import MemoryWeb
from tests.functions.conftest import RETRIES, fetch, ingest, letters_of, ref_of, retry_by, sqs_event
from tests.functions.test_add_url import URL, add

PAGE = FetchedContent(
    b"<!doctype html><html><body><p>Snow fell in July on the lighthouse.</p></body></html>", "text/html"
)


@pytest.fixture
def web(services):
    services.web = MemoryWeb({URL: PAGE})
    return services.web


def file_of(api, collection, receipt):
    return api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json


def test_an_address_is_fetched_ingested_and_found(api, collection, services, web):
    receipt = add(api, collection).json
    assert fetch(services) == []
    file = file_of(api, collection, receipt)
    assert (file["size_bytes"], file["media_type"]) == (len(PAGE.content), "text/html")
    assert api("GET", "/usage").json["storage_bytes"] == len(PAGE.content)
    assert ingest(api, collection, receipt) == []
    assert file_of(api, collection, receipt)["stage"] == "ready"
    question = {"question": "When did snow fall?", "collection_id": collection}
    (found,) = api("POST", "/search", json=question).json["query_results"]
    assert "Snow fell in July" in found["chunk"]["text"]
    assert found["chunk"]["metadata"]["url"] == URL


def test_the_same_address_again_is_a_new_generation(api, collection, services, web):
    for number, text in enumerate((b"The launch is on Monday.", b"The launch is on Friday."), start=1):
        web.pages[URL] = FetchedContent(b"<html><p>" + text, "text/html")
        receipt = add(api, collection).json
        assert receipt["generation"] == number
        fetch(services)
        ingest(api, collection, receipt)
    found = api("POST", "/search", json={"question": "When is the launch?", "collection_id": collection}).json
    assert ["Friday" in result["chunk"]["text"] for result in found["query_results"]] == [True]


VERSIONED = FetchedContent(PAGE.content, PAGE.media_type, Validators('"1"'))


@pytest.mark.parametrize("page", [PAGE, VERSIONED], ids=["same bytes", "not modified"])
def test_an_unchanged_page_leaves_its_file_as_it_is(api, collection, services, web, page):
    web.pages[URL] = page
    receipt = add(api, collection).json
    fetch(services)
    ingest(api, collection, receipt)
    before = file_of(api, collection, receipt)
    services.clock.advance(timedelta(hours=1))
    again = add(api, collection).json
    assert (again["file_id"], again["generation"]) == (receipt["file_id"], 2)
    assert file_of(api, collection, receipt)["stage"] == "fetching"
    assert fetch(services) == []
    after = file_of(api, collection, receipt)
    assert after["checked_at"] == after["updated_at"] > before["updated_at"]
    assert after == before | {name: after[name] for name in ("checked_at", "updated_at")}
    assert services.blobs.info(ref_of(api, collection, again)) is None, "nothing was stored, nor is ingested"
    assert api("GET", "/usage").json["storage_bytes"] == len(PAGE.content)
    question = {"question": "When did snow fall?", "collection_id": collection}
    assert len(api("POST", "/search", json=question).json["query_results"]) == 1
    web.pages[URL] = FetchedContent(b"<html><p>Snow fell in May.", "text/html")
    later = add(api, collection).json
    fetch(services)
    ingest(api, collection, later)
    assert [file_of(api, collection, later)[name] for name in ("stage", "generation")] == ["ready", 3]


def test_what_vanishes_while_its_server_says_that_it_is_unchanged_is_fetched_whole(
    api, collection, services, web, monkeypatch
):
    web.pages[URL] = VERSIONED
    receipt = add(api, collection).json
    fetch(services)
    ingest(api, collection, receipt)
    monkeypatch.setattr(services.fetching, "unchanged", lambda *asked, **more: False)
    again = add(api, collection).json
    assert fetch(services) == []
    assert services.blobs.info(ref_of(api, collection, again)) is not None


def test_what_was_fetched_is_not_fetched_again_for_the_same_key(api, collection, services, web):
    path, key = f"/collections/{collection}/urls", {"idempotency-key": "k"}
    receipt = api("POST", path, json={"url": URL}, headers=key).json
    fetch(services)
    ingest(api, collection, receipt)
    assert api("POST", path, json={"url": URL}, headers=key).json == receipt
    assert services.fetches.receive(limit=1, wait_seconds=0) == []


def test_an_archive_is_expanded(api, collection, services, web):
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("notes.txt", "Snow fell in July.")
    web.pages[url := "https://docs.example.org/all.zip"] = FetchedContent(packed.getvalue(), "application/zip")
    receipt = add(api, collection, url).json
    assert fetch(services) == []
    ingest(api, collection, receipt)
    names = {file["name"] for file in api("GET", f"/collections/{collection}/files").json["items"]}
    assert any("notes.txt" in name for name in names)


def test_a_page_without_an_extension_is_read_as_what_it_is(api, collection, services, web):
    url = "https://en.example.org/wiki/Moon"
    web.pages[url] = PAGE
    receipt = add(api, collection, url).json
    fetch(services)
    ingest(api, collection, receipt)
    file = file_of(api, collection, receipt)
    assert (file["media_type"], file["stage"]) == ("text/html", "ready")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (RefusedUrl("The address leads to no public server."), "refused-url"),
        (DeniedUrl("The address's server refuses it (status 404)."), "denied-url"),
        (FetchedContent(b"", "text/html"), "empty-file"),
        (FetchedContent(b"\x89PNG\r\n" + b"x" * 99, "text/html"), "unsupported-file"),
        (FetchedContent(b"x" * 2_000, "text/html"), "oversized-file"),
    ],
)
@pytest.mark.parametrize("settings", [{"max_url_bytes": 1_000}], indirect=True)
def test_what_cannot_be_had_fails_at_once_and_says_why(api, collection, services, web, answer, code):
    web.pages[URL] = answer
    receipt = add(api, collection).json
    assert fetch(services) == []
    problem = file_of(api, collection, receipt)["problem"]
    assert (problem["code"], problem["retryable"]) == (code, False)
    assert api("GET", "/usage").json["storage_bytes"] == 0


@pytest.mark.parametrize("settings", [{"quotas": {"storage_bytes": 10}}], indirect=True)
def test_what_does_not_fit_the_quota_fails(api, collection, services, web):
    receipt = add(api, collection).json
    assert fetch(services) == []
    assert file_of(api, collection, receipt)["problem"]["code"] == "quota-exceeded"
    assert services.blobs.info(ref_of(api, collection, receipt)) is None


def test_a_server_that_is_down_is_tried_again(api, collection, services, web):
    web.pages[URL] = UnreachableUrl()
    receipt = add(api, collection).json
    assert fetch(services, attempts=3)
    assert file_of(api, collection, receipt)["stage"] == "fetching"
    web.pages[URL] = PAGE
    assert again(api, collection, receipt) == []
    ingest(api, collection, receipt)
    assert file_of(api, collection, receipt)["stage"] == "ready"


def again(api, collection, receipt):
    """The message is delivered once more."""
    event = sqs_event({"fetch": ref_of(api, collection, receipt).key})
    return function("fetch_url").handler(event, None)["batchItemFailures"]


def failed_deliveries(queues):
    """Have `fetch_url` handle what is visible in its queue; how many deliveries failed."""
    queue = queues.services.fetches
    deliveries = queue.receive(limit=9, wait_seconds=0)
    return sum(not handle(function("fetch_url").handler, queue, delivery) for delivery in deliveries)


def test_a_failed_try_shows_its_reason_and_the_next_try(api, collection, services, web, queues):
    web.pages[URL] = UnreachableUrl("The server fails at the moment (status 503).")
    receipt = add(api, collection).json
    seen = []
    for attempt in range(1, 4):
        before = file_of(api, collection, receipt)
        services.clock.advance(timedelta(seconds=1))
        assert failed_deliveries(queues) == 1
        file = file_of(api, collection, receipt)
        assert (file["stage"], file["problem"]["code"]) == ("fetching", "unreachable-url")
        assert "status 503" in file["problem"]["detail"]
        assert file["updated_at"] > before["updated_at"], "who watches the collection is told"
        seconds = (datetime.fromisoformat(file["next_attempt_at"]) - services.clock.now()).total_seconds()
        assert 30 * 2 ** (attempt - 1) <= seconds <= 60 * 2 ** (attempt - 1)
        queues.seconds += seconds - 0.5
        assert failed_deliveries(queues) == 0, "not before"
        queues.seconds += 0.5
        services.clock.advance(timedelta(seconds=seconds))
        seen.append(seconds)
    assert seen == sorted(seen)
    web.pages[URL] = PAGE
    assert queues.run("fetch_url") == 1
    file = file_of(api, collection, receipt)
    assert (file["stage"], file.get("problem"), file.get("next_attempt_at")) == ("fetching", None, None)
    ingest(api, collection, receipt)
    file = file_of(api, collection, receipt)
    assert (file["stage"], file.get("problem"), file.get("next_attempt_at")) == ("ready", None, None)


def test_while_a_try_runs_no_next_one_is_shown(api, collection, services, web):
    receipt = add(api, collection).json
    web.pages[URL] = UnreachableUrl()
    assert fetch(services)
    shown = []

    class Looking:
        def fetch(self, url, *, max_bytes, known):
            shown.append(file_of(api, collection, receipt))
            return PAGE

    services.web = Looking()
    assert again(api, collection, receipt) == []
    assert [(file["problem"]["code"], file.get("next_attempt_at")) for file in shown] == [("unreachable-url", None)]


def test_a_sweep_leaves_alone_what_is_tried_later(api, collection, services, web, queues):
    web.pages[URL] = UnreachableUrl()
    receipt = add(api, collection).json
    assert failed_deliveries(queues) == 1
    for delivery in services.fetches.receive(limit=9, wait_seconds=0):
        services.fetches.delete(delivery.receipt)
    later = datetime.fromisoformat(file_of(api, collection, receipt)["next_attempt_at"]) - services.clock.now()
    services.clock.advance(later + timedelta(seconds=59))
    queues.seconds += 10_000
    assert function("sweep").handler({}, None)["requeued"] == 0


def test_what_is_never_fetched_in_time_fails_with_the_reason_of_the_last_try(api, collection, services, web):
    web.pages[URL] = UnreachableUrl("The server takes too long.")
    receipt = add(api, collection).json
    assert fetch(services)
    services.clock.advance(timedelta(hours=3))
    assert function("sweep").handler({}, None)["failed"] == 1
    file = file_of(api, collection, receipt)
    assert (file["stage"], file["problem"]["detail"]) == ("failed", "The server takes too long.")
    assert file.get("next_attempt_at") is None


def test_a_next_try_that_cannot_be_recorded_takes_place_all_the_same(
    api, collection, services, web, queues, monkeypatch
):
    web.pages[URL] = UnreachableUrl()
    receipt = add(api, collection).json

    def down(*given, **named):
        raise Unavailable(dependency="postgres")

    monkeypatch.setattr(services.fetching, "postpone_fetch", down)
    assert failed_deliveries(queues) == 1
    web.pages[URL] = PAGE
    queues.seconds += 1_000
    assert queues.run("fetch_url") == 1
    assert file_of(api, collection, receipt)["size_bytes"] == len(PAGE.content)


def test_a_server_that_stays_down_ends_the_file_and_leaves_a_dead_letter(api, collection, services, web, queues):
    web.pages[URL] = UnreachableUrl("The server fails at the moment (status 503).")
    receipt = add(api, collection).json
    assert queues.give_up() == 1
    file = file_of(api, collection, receipt)
    assert (file["stage"], file["problem"]["code"], file["problem"]["retryable"]) == ("failed", "unreachable-url", True)
    [letter] = letters_of(api, collection)
    assert (letter["function"], letter["file_id"], letter["name"]) == ("fetch_url", receipt["file_id"], "guide.html")
    assert (letter["problem"], letter["state"]) == (file["problem"], "waiting")


def test_what_the_server_refuses_leaves_no_dead_letter(api, collection, services, web, queues):
    web.pages[URL] = DeniedUrl()
    add(api, collection)
    assert queues.give_up() == 0
    assert letters_of(api, collection) == []


@pytest.mark.parametrize("by", RETRIES)
def test_a_retry_fetches_again_with_all_attempts(api, collection, services, web, queues, by):
    web.pages[URL] = UnreachableUrl()
    receipt = add(api, collection).json
    assert queues.give_up() == 1
    services.clock.advance(timedelta(hours=2))  # the deadline has passed
    retry_by(by, api, collection, receipt["file_id"])
    file = file_of(api, collection, receipt)
    assert (file["stage"], file["generation"], file.get("problem")) == ("fetching", 1, None)
    assert function("sweep").handler({}, None)["failed"] == 0, "the deadline starts again"
    for _ in range(3):
        assert failed_deliveries(queues) == 1
        assert file_of(api, collection, receipt)["stage"] == "fetching"
        queues.seconds += 1_000
    web.pages[URL] = PAGE
    assert queues.run("fetch_url") == 1
    assert ingest(api, collection, receipt) == []
    assert file_of(api, collection, receipt)["stage"] == "ready"
    assert api("GET", "/usage").json["storage_bytes"] == len(PAGE.content)
    assert [one["state"] for one in letters_of(api, collection)] == ["closed"]


def test_a_retry_after_the_bytes_could_not_be_stored_charges_them_once(api, collection, services, web):
    class Down:
        def put(self, *args, **options):
            raise Unavailable(dependency="s3")

        def info(self, ref):
            return None

    receipt = add(api, collection).json
    working, services.blobs = services.blobs, Down()
    assert fetch(services)
    services.blobs = working
    services.clock.advance(timedelta(hours=3))
    assert function("sweep").handler({}, None)["failed"] == 1
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert api("POST", f"/collections/{collection}/files/{receipt['file_id']}/retry").status == 202
    assert api("GET", "/usage").json["storage_bytes"] == 0
    assert fetch(services) == []
    assert ingest(api, collection, receipt) == []
    assert api("GET", "/usage").json["storage_bytes"] == len(PAGE.content)


def test_what_is_being_fetched_is_not_retried(api, collection, services, web):
    receipt = add(api, collection).json
    assert api("POST", f"/collections/{collection}/files/{receipt['file_id']}/retry").status == 409
    assert api("POST", f"/collections/{collection}/retry").json["items"] == []
    assert len(services.fetches.receive(limit=9, wait_seconds=0)) == 1


@pytest.mark.parametrize("error", [Unavailable(dependency="s3"), RuntimeError("a bug")])
def test_a_store_that_fails_is_tried_again(api, collection, services, web, error):
    class Down:
        def put(self, *args, **options):
            raise error

        def info(self, ref):
            return None

    receipt = add(api, collection).json
    working, services.blobs = services.blobs, Down()
    assert fetch(services, attempts=3)
    services.blobs = working
    web.pages[URL] = FetchedContent(PAGE.content + b"<p>More.", "text/html")
    assert again(api, collection, receipt) == []
    assert services.blobs.info(ref_of(api, collection, receipt)).size_bytes == len(PAGE.content) + 8
    assert api("GET", "/usage").json["storage_bytes"] == len(PAGE.content) + 8
    assert ingest(api, collection, receipt) == []
    assert file_of(api, collection, receipt)["stage"] == "ready"


def test_tries_that_never_get_that_far_end_the_file(api, collection, services, web):
    class Broken:
        def fetch(self, url, *, max_bytes):
            raise RuntimeError("a bug")

    services.web = Broken()
    receipt = add(api, collection).json
    assert fetch(services, attempts=4)
    problem = file_of(api, collection, receipt)["problem"]
    assert (problem["code"], "a bug" in problem["detail"]) == ("internal-error", False)


def test_a_message_that_comes_twice_changes_nothing(api, collection, services, web):
    receipt = add(api, collection).json
    fetch(services)
    web.pages[URL] = FetchedContent(b"<html>another", "text/html")
    assert again(api, collection, receipt) == []
    ingest(api, collection, receipt)
    before = file_of(api, collection, receipt)
    assert again(api, collection, receipt) == []
    assert file_of(api, collection, receipt) == before
    assert before["size_bytes"] == len(PAGE.content)


def test_who_is_overtaken_stores_nothing(api, collection, services, web):
    receipt = add(api, collection).json
    other = FetchedContent(b"<html>another", "text/html")

    class Slow:
        """While it answers, another delivery of the same message fetches, arrives and stores."""

        def fetch(self, url, *, max_bytes, known):
            services.web = web
            assert again(api, collection, receipt) == []
            return other

    services.web = Slow()
    assert fetch(services) == []
    assert services.blobs.info(ref_of(api, collection, receipt)).size_bytes == len(PAGE.content)


def test_a_file_that_was_deleted_is_not_fetched(api, collection, services, web):
    web.pages = None
    receipt = add(api, collection).json
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    assert fetch(services) == []


@pytest.mark.parametrize("body", [{}, {"fetch": 7}, {"fetch": "tenants/x"}, {"ingest": "x"}])
def test_a_message_that_cannot_be_read_fails(services, body):
    assert function("fetch_url").handler(sqs_event(body), None)["batchItemFailures"] == [{"itemIdentifier": "m0"}]
