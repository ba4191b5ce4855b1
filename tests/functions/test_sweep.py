import json
from contextlib import suppress
from datetime import timedelta
from time import sleep
from uuid import UUID

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.web import FetchedContent
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.worker import function
from modulo.usecases import postpone_deadlines
from modulo.usecases import sweep as use_case
from tests.doubles.memory_web import MemoryWeb
from tests.functions.conftest import DownQueue, Failing, deliver_queued, fetch, ingest, replace_metadata

NOTHING = {
    "failed": 0,
    "requeued": 0,
    "purges": 0,
    "oldest_seconds": {},
    "files": {},
    "letters_forgotten": 0,
    "conversations_expired": 0,
    "more": False,
    "rested": False,
}


def sweep():
    return function("sweep").handler({}, None)


class SilentQueue(DownQueue):
    """A queue that does not tell how much it holds either."""

    def pending(self):
        raise Unavailable(dependency="sqs")


class DownBlobs:
    """An object store that is down."""

    def info(self, ref):
        raise Unavailable(dependency="s3")


class SlowBlobs:
    """An object store that takes its time."""

    looks = 0

    def info(self, ref):
        self.looks += 1
        sleep(0.3)
        raise Unavailable(dependency="s3")


def announce(api, collection, name):
    return api("POST", f"/collections/{collection}/uploads", json={"name": name, "size_bytes": 3}).json


def test_a_file_that_is_never_uploaded_ends_failed(api, clock):
    collection = api.create_collection()
    ticket = announce(api, collection, "a.txt")
    assert sweep() == NOTHING
    clock.advance(timedelta(hours=2))
    assert sweep()["failed"] == 1
    file = api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json
    assert (file["stage"], file["problem"]["retryable"]) == ("failed", True)
    assert api("GET", "/usage").json["storage_bytes"] == 0


def test_a_user_s_file_that_expires_is_purged_and_named(api, clock):
    fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = api.keep_file("Rain falls.", "rain.txt", **fields)
    clock.advance(timedelta(hours=2))
    report = sweep()
    assert report["purges"] == 1
    [[name]] = report["files"].values()
    assert file in name


def test_it_reports_what_it_found_and_for_how_long_that_had_waited(api, services, clock, capsys):
    collection = api.create_collection()
    late = announce(api, collection, "late.txt")
    gone = api.upload(collection, "Rain falls.", "gone.txt")
    assert ingest(api, collection, gone) == []
    clock.advance(timedelta(minutes=70))
    api("DELETE", f"/collections/{collection}/files/{gone['file_id']}")
    clock.advance(timedelta(minutes=20))
    report = sweep()
    tenant = external_id("modulo", "tenant:acme")
    deadline = services.settings.presign_seconds + services.settings.ingest_deadline_seconds
    assert report == {
        "failed": 1,
        "requeued": 0,
        "purges": 1,
        "oldest_seconds": {"failed": 90 * 60 - deadline, "purged": 19 * 60},
        "files": {
            "failed": [f"{tenant}/{UUID(collection)}/{late['file_id']}/1"],
            "purged": [f"{tenant}/{UUID(collection)}/{gone['file_id']}"],
        },
        "letters_forgotten": 0,
        "conversations_expired": 0,
        "more": False,
        "rested": False,
    }
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["message"] == f"scheduled run - done: {report}"
    metrics = services.metrics
    assert metrics.counts["rag_swept_total", (("outcome", "failed"),)] == 1
    assert metrics.durations["rag_swept_age_seconds", (("outcome", "purged"),)] == [19 * 60]


@pytest.fixture
def many(api, clock, monkeypatch):
    """Seven overdue files for a sweep that looks at two at a time."""
    collection = api.create_collection()
    for number in range(7):
        announce(api, collection, f"{number}.txt")
    clock.advance(timedelta(hours=2))
    monkeypatch.setattr(use_case, "BATCH_SIZE", 2)


def test_it_goes_on_until_nothing_is_left_and_names_no_more_than_a_log_can_hold(many, monkeypatch):
    monkeypatch.setattr(use_case, "MAX_REPORTED_NAMES", 5)
    report = sweep()
    assert (report["failed"], report["more"], len(report["files"]["failed"])) == (7, False, 5)
    assert sweep() == NOTHING


def test_one_that_would_take_too_long_leaves_the_rest_and_says_so(many, services, monkeypatch):
    monkeypatch.setattr(use_case, "MAX_ROUNDS", 2)
    assert [(report["failed"], report["more"]) for report in (sweep(), sweep())] == [(4, True), (3, False)]
    assert services.metrics.counts["rag_sweeps_cut_short_total", ()] == 1


def test_a_queue_that_is_down_fails_the_sweep(api, services, clock):
    collection = api.create_collection()
    gone = api.upload(collection, "Rain falls.", "gone.txt")
    ingest(api, collection, gone)
    api("DELETE", f"/collections/{collection}/files/{gone['file_id']}")
    clock.advance(timedelta(minutes=2))

    working, services.purges = services.purges, DownQueue()
    with pytest.raises(Unavailable):
        sweep()
    services.purges = working
    clock.advance(timedelta(minutes=11))
    assert sweep()["purges"] == 1


@pytest.fixture
def resting(services):
    """Sweeps may rest for an hour; what they remember."""
    services.settings = services.settings.model_copy(update={"sweep_rest_seconds": 3_600})
    rest = function("sweep").rest
    yield rest
    rest.until = None


def test_it_rests_while_nothing_can_be_due_and_looks_again_in_time(api, services, clock, resting):
    collection = api.create_collection()
    ticket = announce(api, collection, "a.txt")
    assert sweep() == NOTHING
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1  # its bytes may be there, and the message about them lost
    deliver_queued(services)
    for _ in range(7):
        restore = replace_metadata(services, lambda _: None)  # whoever asks one now fails
        for _ in range(9):
            clock.advance(timedelta(minutes=1))
            assert sweep() == NOTHING | {"rested": True}
        restore()
        clock.advance(timedelta(minutes=1))
        assert sweep()["requeued"] == 1
        deliver_queued(services)
    assert resting.until == clock.now() + timedelta(minutes=4)  # the deadline of the upload
    clock.advance(timedelta(minutes=3))
    assert sweep()["rested"]
    clock.advance(timedelta(minutes=1))
    assert sweep()["failed"] == 1
    assert api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json["stage"] == "failed"


def test_a_file_whose_message_was_lost_is_ingested_soon(api, services, clock):
    """The queue was killed: what it held is gone."""
    collection = api.create_collection()
    receipt = api.upload(collection, "Rain falls.")
    assert sweep()["requeued"] == 0
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1
    deliver_queued(services)
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "ready"
    clock.advance(timedelta(minutes=20))
    assert sweep()["requeued"] == 0


def test_a_message_lost_between_two_attempts_is_made_up_for(api, services, clock):
    collection = api.create_collection()
    receipt = api.upload(collection, "Rain falls.")
    working, services.embedder = services.embedder, Failing()
    assert ingest(api, collection, receipt) != []
    services.embedder = working
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1
    deliver_queued(services)
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "ready"


def test_a_url_whose_message_was_lost_is_fetched(api, services, clock):
    collection = api.create_collection()
    body = {"url": "https://docs.example.org/page.html"}
    receipt = api("POST", f"/collections/{collection}/urls", json=body).json
    for delivery in services.fetches.receive(limit=10, wait_seconds=0):
        services.fetches.delete(delivery.receipt)
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1
    [delivery] = services.fetches.receive(limit=10, wait_seconds=0)
    assert receipt["file_id"] in delivery.body


def test_a_fetched_file_whose_event_was_lost_is_ingested(api, services, clock):
    collection = api.create_collection()
    page = FetchedContent(b"<p>Rain falls.</p>", "text/html")
    services.web = MemoryWeb({"https://docs.example.org/page.html": page})
    receipt = api("POST", f"/collections/{collection}/urls", json={"url": "https://docs.example.org/page.html"}).json
    assert fetch(services) == []
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1
    deliver_queued(services)
    assert api("GET", f"/collections/{collection}/files/{receipt['file_id']}").json["stage"] == "ready"


def test_while_messages_wait_only_the_oldest_count_as_lost(api, services, clock):
    """A long queue must not be made longer by what waits in it."""
    collection = api.create_collection()
    api.upload(collection, "Rain falls.")
    services.ingests.send({"ingest": "another"})
    clock.advance(timedelta(minutes=9))
    assert sweep()["requeued"] == 0
    clock.advance(timedelta(minutes=1))
    assert sweep()["requeued"] == 1


@pytest.mark.parametrize("queue", ["ingests", "fetches", "purges", "dead_letter_queue"])
def test_a_message_under_way_ends_a_rest_and_once_it_is_gone_one_more_sweep_looks(services, resting, queue):
    assert [sweep()["rested"] for _ in range(2)] == [False, True]
    getattr(services, queue).send({})
    assert [sweep()["rested"] for _ in range(2)] == [False, False]
    [delivery] = getattr(services, queue).receive(limit=1, wait_seconds=0)
    assert not sweep()["rested"]
    getattr(services, queue).delete(delivery.receipt)
    assert [sweep()["rested"] for _ in range(2)] == [False, True]


def test_a_queue_that_does_not_answer_ends_a_rest(services, resting):
    assert [sweep()["rested"] for _ in range(2)] == [False, True]

    class Silent:
        def pending(self):
            raise Unavailable(dependency="sqs")

    services.purges = Silent()
    assert [sweep()["rested"] for _ in range(2)] == [False, False]


def test_it_does_not_rest_unless_told_to(services):
    assert [sweep()["rested"] for _ in range(2)] == [False, False]


def test_a_conversation_not_used_for_long_is_deleted(api, clock, services):
    made = api("POST", "/conversations", json={"title": "old"}).json["id"]
    clock.advance(timedelta(days=services.settings.conversation_retention_days, seconds=1))
    kept = api("POST", "/conversations", json={"title": "new"}).json["id"]
    assert sweep()["conversations_expired"] == 1
    assert [one["id"] for one in api("GET", "/conversations").json["items"]] == [kept]
    assert api("GET", f"/conversations/{made}").status == 404


@pytest.mark.parametrize("within_a_day", [True, False])
def test_a_stored_file_waits_for_its_turn_past_its_deadline(api, services, clock, within_a_day):
    collection = api.create_collection()
    stored = api.upload(collection, "Rain falls.", "stored.txt")
    announced = announce(api, collection, "announced.txt")
    services.ingests.send({"Records": []})  # the queue is not empty

    def stage(file):
        return api("GET", f"/collections/{collection}/files/{file['file_id']}").json["stage"]

    for _ in range(11):
        clock.advance(timedelta(hours=2))
        sweep()
        assert (stage(stored), stage(announced)) == ("queued", "failed")
    if within_a_day:
        assert ingest(api, collection, stored) == []
        assert stage(stored) == "ready"
    else:
        clock.advance(timedelta(hours=3))
        sweep()
        assert stage(stored) == "failed"


def test_a_queue_that_does_not_answer_counts_as_one_that_holds_messages(api, services, clock):
    collection = api.create_collection()
    stored = api.upload(collection, "Rain falls.", "stored.txt")
    services.ingests = SilentQueue()
    clock.advance(timedelta(hours=2))
    with suppress(Unavailable):
        sweep()
    assert api("GET", f"/collections/{collection}/files/{stored['file_id']}").json["stage"] == "queued"


def test_objects_are_not_looked_for_while_the_queue_is_empty(api, services, clock):
    announce(api, api.create_collection(), "announced.txt")
    services.blobs = DownBlobs()
    clock.advance(timedelta(hours=2))
    assert sweep()["failed"] == 1


def test_while_the_object_store_is_down_overdue_files_wait_and_other_work_goes_on(api, services, clock, caplog):
    collection = api.create_collection()
    announced = announce(api, collection, "announced.txt")
    stored = api.upload(collection, "Rain falls.", "stored.txt")
    gone = api.upload(collection, "Snow falls.", "gone.txt")
    assert ingest(api, collection, gone) == []
    services.ingests.send({"Records": []})
    clock.advance(timedelta(hours=2))
    recent = api.upload(collection, "Fog rises.", "recent.txt")
    api("DELETE", f"/collections/{collection}/files/{gone['file_id']}")
    clock.advance(timedelta(minutes=11))
    working, services.blobs = services.blobs, DownBlobs()

    def stage(file):
        return api("GET", f"/collections/{collection}/files/{file['file_id']}").json["stage"]

    report = sweep()
    assert (report["failed"], report["purges"]) == (0, 1)
    assert report["requeued"] == 1, "the recent file's message counts as lost"
    assert stage(announced) == "awaiting_upload"
    assert "2 overdue files" in caplog.text
    services.blobs = working
    clock.advance(timedelta(minutes=4))
    assert sweep()["failed"] == 1
    assert [stage(file) for file in (announced, stored, recent)] == ["failed", "queued", "awaiting_upload"]


def test_a_slow_object_store_does_not_hold_a_sweep_up(api, services, clock, monkeypatch):
    collection = api.create_collection()
    for number in range(20):
        announce(api, collection, f"{number}.txt")
    services.ingests.send({"Records": []})
    clock.advance(timedelta(hours=2))
    working, slow = services.blobs, SlowBlobs()
    services.blobs = slow
    monkeypatch.setattr(postpone_deadlines, "MAX_LOOK_SECONDS", 0.1)
    assert sweep()["failed"] == 0
    assert 0 < slow.looks < 20
    services.blobs = working
    clock.advance(timedelta(minutes=4))
    assert sweep()["failed"] == 20


def test_what_was_announced_and_never_sent_ends_also_while_others_wait(api, services, clock):
    announce(api, api.create_collection(), "announced.txt")
    services.ingests.send({"Records": []})
    clock.advance(timedelta(hours=2))
    assert sweep()["failed"] == 1
