"""The event functions as processes."""

import threading

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.transfer import IngestRequest
from modulo.runtime import worker
from modulo.runtime.calls import run, use_threads
from modulo.runtime.worker import function, poll, work
from tests.functions.conftest import ref_of


def run_until(done, names):
    """Work until `done()` holds."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(names, stop))
    thread.start()
    waited = threading.Event()
    for _ in range(500):
        if done():
            break
        waited.wait(0.02)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert done()


def test_a_worker_ingests_what_is_queued(api, services):
    collection = api.create_collection()
    receipt = api.upload(collection, "Snow fell in July.")
    services.ingests.send(IngestRequest(ref_of(api, collection, receipt)).body())
    path = f"/collections/{collection}/files/{receipt['file_id']}"
    run_until(lambda: api("GET", path).json["stage"] == "ready", ["ingest_file"])
    assert services.ingests.receive(limit=1, wait_seconds=0) == []


def test_a_failed_message_comes_again_later(services):
    services.ingests.send({"no": "such message"})
    assert poll(services.ingests, function("ingest_file").handler) == 0
    assert services.ingests.receive(limit=1, wait_seconds=0) == []


def test_schedules_tick(services):
    services.schedules.send({"function": "reset_quotas"})
    services.schedules.send({"function": "rm -rf"})
    services.schedules.send({"function": "sweep"})
    run_until(lambda: ("rag_swept_total", (("outcome", "failed"),)) in services.metrics.counts, ["sweep"])
    period = services.clock.now().date()
    assert not services.metadata.open_period(period, keep_from=period)


def test_a_queue_that_is_down_is_asked_again(services, monkeypatch):
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.01)
    asked = []

    class Down:
        def receive(self, *, limit, wait_seconds):
            asked.append(limit)
            raise Unavailable(dependency="sqs")

    services.purges = Down()
    run_until(lambda: len(asked) > 2, ["purge"])


def test_a_loop_that_breaks_ends_the_worker(services):
    class Broken:
        def receive(self, *, limit, wait_seconds):
            raise RuntimeError("a bug")

    services.purges = Broken()
    with pytest.raises(RuntimeError, match="a bug"):
        work(["ingest_file", "purge"], threading.Event())


def test_what_is_not_begun_when_the_worker_stops_is_given_back(services):
    for _ in range(3):
        services.schedules.send({"function": "sweep"})
    stop = threading.Event()

    def handler(event, context):
        stop.set()
        return {"batchItemFailures": []}

    assert poll(services.schedules, handler, stop) == 1
    assert len(services.schedules.receive(limit=10, wait_seconds=0)) == 2


def test_an_unknown_name_is_refused(services):
    with pytest.raises(LookupError, match="searching"):
        work(["searching"], threading.Event())
    with pytest.raises(LookupError):
        function("no_such_function")


@pytest.mark.parametrize("threads", [None, 2])
def test_calls_run_in_place_or_on_threads(threads):
    import anyio

    use_threads(threads)
    try:
        ran_on = anyio.run(run, threading.get_ident)
    finally:
        use_threads(None)
    assert (ran_on == threading.get_ident()) == (threads is None)
