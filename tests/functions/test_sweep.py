import json
from datetime import timedelta
from uuid import UUID

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.identity import external_id
from modulo.runtime.worker import function
from modulo.usecases import sweep as use_case
from tests.functions.conftest import ingest

NOTHING = {
    "failed": 0,
    "requeued": 0,
    "purges": 0,
    "oldest_seconds": {},
    "files": {},
    "letters_forgotten": 0,
    "more": False,
    "rested": False,
}


def sweep():
    return function("sweep").handler({}, None)


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
        "more": False,
        "rested": False,
    }
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["message"] == f"done: {report}"
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
    monkeypatch.setattr(use_case, "BATCH", 2)


def test_it_goes_on_until_nothing_is_left_and_names_no_more_than_a_log_can_hold(many, monkeypatch):
    monkeypatch.setattr(use_case, "MOST_NAMED", 5)
    report = sweep()
    assert (report["failed"], report["more"], len(report["files"]["failed"])) == (7, False, 5)
    assert sweep() == NOTHING


def test_one_that_would_take_too_long_leaves_the_rest_and_says_so(many, services, monkeypatch):
    monkeypatch.setattr(use_case, "MOST_ROUNDS", 2)
    assert [(report["failed"], report["more"]) for report in (sweep(), sweep())] == [(4, True), (3, False)]
    assert services.metrics.counts["rag_sweeps_cut_short_total", ()] == 1


def test_a_queue_that_is_down_fails_the_sweep(api, services, clock):
    collection = api.create_collection()
    gone = api.upload(collection, "Rain falls.", "gone.txt")
    ingest(api, collection, gone)
    api("DELETE", f"/collections/{collection}/files/{gone['file_id']}")
    clock.advance(timedelta(minutes=2))

    class Down:
        def send(self, body):
            raise Unavailable(dependency="sqs")

    working, services.purges = services.purges, Down()
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
    asked, services.metadata = services.metadata, None  # whoever asks it now fails
    for _ in range(59):
        clock.advance(timedelta(minutes=1))
        assert sweep() == NOTHING | {"rested": True}
    services.metadata = asked
    clock.advance(timedelta(minutes=1))
    assert sweep() == NOTHING
    assert resting.until == clock.now() + timedelta(minutes=15)  # the deadline of the upload
    clock.advance(timedelta(minutes=14))
    assert sweep()["rested"]
    clock.advance(timedelta(minutes=1))
    assert sweep()["failed"] == 1
    assert api("GET", f"/collections/{collection}/files/{ticket['file_id']}").json["stage"] == "failed"


@pytest.mark.parametrize("queue", ["ingests", "fetches", "purges", "dead_letters"])
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
