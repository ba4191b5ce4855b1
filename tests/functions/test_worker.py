"""The event functions as processes."""

import threading

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.operations.messages import IngestRequest
from modulo.runtime import queue_consumer, worker
from modulo.runtime.threads import run, use_threads
from modulo.runtime.worker import function, work
from tests.doubles.memory_queue import MemoryQueue
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
    thread.join(timeout=60)
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
    [delivery] = services.ingests.receive(limit=1, wait_seconds=0)
    assert not queue_consumer.handle(function("ingest_file").handler, services.ingests, delivery)
    assert services.ingests.receive(limit=1, wait_seconds=0) == []


def test_schedules_tick(services):
    services.schedules.send({"function": "reset_quotas"})
    services.schedules.send({"function": "rm -rf"})
    services.schedules.send({"function": "sweep"})
    run_until(lambda: ("rag_swept_total", (("outcome", "failed"),)) in services.metrics.counts, ["sweep"])
    period = services.clock.now().date()
    assert not services.usage.open_period(period, keep_from=period)


def test_a_queue_that_is_down_is_asked_again(services, monkeypatch):
    monkeypatch.setattr(queue_consumer, "PAUSE_SECONDS", 0.01)
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


class Watched(MemoryQueue):
    """Notes what was asked of it, and can be told what to do when a message is received."""

    def __init__(self, on_receive=lambda: None):
        super().__init__()
        self.asked, self.postponed, self.on_receive = [], [], on_receive

    def receive(self, *, limit, wait_seconds):
        self.asked.append(limit)
        found = super().receive(limit=limit, wait_seconds=0)
        if found:
            self.on_receive()
        return found

    def postpone(self, receipt, seconds):
        self.postponed.append(seconds)
        super().postpone(receipt, seconds)


def ticking(services, monkeypatch, queue, handler, number):
    """A worker's stop event, with a handler of purges and so many messages for it."""
    services.purges = queue
    monkeypatch.setattr(function("purge"), "handler", handler)
    for _ in range(number):
        queue.send({})
    return threading.Event()


def test_a_worker_takes_no_more_messages_than_it_has_consumers(services, monkeypatch):
    begun, go_on, queue = threading.Semaphore(0), threading.Event(), Watched()

    def handler(event, context):
        begun.release()
        assert go_on.wait(60)
        return {"batchItemFailures": []}

    stop = ticking(services, monkeypatch, queue, handler, 5)
    thread = threading.Thread(target=work, args=(["purge"], stop), kwargs={"concurrency": 2})
    thread.start()
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=60)
    assert queue.asked.count(1) == len(queue.asked)
    assert len(queue.receive(limit=10, wait_seconds=0)) == 3, "the others are left to other workers"
    stop.set()
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert queue.postponed == []
    assert len(queue._messages) == 3, "what was under way was finished"


def test_what_is_not_begun_when_the_worker_stops_is_given_back(services, monkeypatch):
    queue = Watched()
    stop = ticking(services, monkeypatch, queue, None, 1)
    queue.on_receive = stop.set
    assert work(["purge"], stop)
    assert services.purges.postponed == [0]
    assert len(services.purges.receive(limit=10, wait_seconds=0)) == 1


def test_what_does_not_finish_in_time_is_interrupted_and_given_back(services, monkeypatch):
    endless = threading.Event()

    def handler(event, context):
        try:
            stop.set()
            while not endless.wait(0.01):
                pass
        except queue_consumer.Interrupted:
            return {"batchItemFailures": [{}]}

    stop = ticking(services, monkeypatch, Watched(), handler, 1)
    assert work(["purge"], stop, grace_seconds=0.05)
    assert services.purges.postponed == [0]


def test_an_interruption_that_no_handler_catches_ends_the_consumer_alone(services, monkeypatch):
    endless = threading.Event()

    def handler(event, context):
        stop.set()
        while not endless.wait(0.01):
            pass

    stop = ticking(services, monkeypatch, Watched(), handler, 1)
    assert work(["purge"], stop, grace_seconds=0)
    assert services.purges.postponed == []


def test_what_cannot_be_interrupted_is_left_to_the_queue(services, monkeypatch):
    monkeypatch.setattr(worker, "UNWIND_SECONDS", 0.05)
    hanging = threading.Event()

    def handler(event, context):
        while not hanging.is_set():
            try:
                stop.set()
                hanging.wait(0.01)
            except queue_consumer.Interrupted:
                continue
        return {"batchItemFailures": []}

    stop = ticking(services, monkeypatch, Watched(), handler, 1)
    assert not work(["purge"], stop, grace_seconds=0)
    assert services.purges.receive(limit=1, wait_seconds=0) == []
    hanging.set()


def test_a_consumer_that_waits_for_a_message_is_not_interrupted(services):
    consumer = queue_consumer.Consumer(queue_consumer.QueueSource("purge", lambda s: s.purges, None), threading.Event())
    consumer.interrupt()
    assert consumer.error is None


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


def test_a_heartbeat_is_sent_once_in_its_time_and_for_each_new_function(services, monkeypatch):
    sent = []
    monkeypatch.setattr(worker, "record_heartbeat", lambda functions, **_ports: sent.append(set(functions)))
    heartbeat = worker.Heartbeat()
    for functions in ({"purge"}, {"purge"}, {"purge", "sweep"}, {"sweep"}):
        heartbeat.send(functions)
    assert sent == [{"purge"}, {"purge", "sweep"}]
