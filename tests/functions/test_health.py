import threading
import time
from datetime import timedelta

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.search.cache_entry import CacheEntry
from modulo.runtime import queue_consumer, worker
from modulo.runtime.worker import work
from modulo.usecases.health import health
from modulo.usecases.worker_heartbeats import record_heartbeat, worker_statuses
from tests.doubles.memory_cache import MemoryCache
from tests.functions.conftest import as_user, invoke

TOKEN = "a-token-of-more-than-thirty-two-characters"
WITH_TOKEN = {"authorization": f"Bearer {TOKEN}"}
with_token = pytest.mark.parametrize("settings", [{"health_token": TOKEN}], indirect=True)


class Down:
    def ping(self):
        raise Unavailable("redis://:secret@host refused", dependency="valkey")

    def get(self, keys):
        return [None] * len(keys)


class Untouched:
    def ping(self):
        raise AssertionError("nothing may be asked")


@pytest.mark.parametrize("query", [{}, {"probe": "live"}])
def test_anybody_learns_that_it_answers_and_nothing_is_asked(services, monkeypatch, query):
    services.cache = services.database = Untouched()
    monkeypatch.setattr(worker.function("health"), "run_external", None)  # no thread is taken
    reply = invoke("GET", "/health", query=query)
    assert (reply.status, reply.json) == (200, {"status": "ok", "version": "0.1.0"})


@with_token
@pytest.mark.parametrize("query", [{}, {"probe": "ready"}])
def test_with_a_credential_every_part_is_named_with_its_latency(services, query):
    for reply in (
        as_user("ada")("GET", "/health", query=query),
        invoke("GET", "/health", query=query, headers=WITH_TOKEN),
    ):
        parts = {part["name"]: part for part in reply.json["dependencies"]}
        assert reply.status == 200
        assert set(parts) == {"postgres", "cache", "vectors", "blobs", "queue", "embedder", "reranker", "generator"}
        assert all(part["status"] == "ok" and part["latency_ms"] >= 0 for part in parts.values())
        assert "workers" not in reply.json


@with_token
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": ""},
        {"x-api-key": "mod_guessed"},
        {"x-api-key": TOKEN, **WITH_TOKEN},
    ],
)
def test_what_is_no_credential_is_refused(services, headers):
    for query in ({}, {"probe": "ready"}):
        assert invoke("GET", "/health", query=query, headers=headers).status == 401


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer x"])
def test_without_a_token_set_none_opens_it(services, token):
    assert invoke("GET", "/health", query={"probe": "ready"}, headers={"authorization": token}).status == 401
    assert invoke("GET", "/health", query={"probe": "ready"}).status == 401


@with_token
def test_the_token_works_while_the_database_of_keys_is_down(services, monkeypatch):
    def down(*_, **__):
        raise Unavailable(dependency="postgres")

    monkeypatch.setattr(services, "database", Down())
    monkeypatch.setattr("modulo.runtime.health_access.authorize", down)
    reply = invoke("GET", "/health", headers=WITH_TOKEN)
    assert [part["name"] for part in reply.json["dependencies"] if part["status"] == "down"] == ["postgres"]
    assert reply.status == 503


def test_a_part_that_does_not_answer_in_time_is_down():
    release = threading.Event()
    found = health({"slow": release.wait, "quick": lambda: None}, version="1", timeout=0.05)
    release.set()
    assert {part.name: part.status for part in found.dependencies} == {"slow": "down", "quick": "ok"}


def test_a_part_that_is_down_is_503_and_named_without_its_secrets(services, caplog):
    services.cache = Down()
    reply = as_user("ada")("GET", "/health")
    assert (reply.status, reply.json["status"]) == (503, "down")
    assert [part["name"] for part in reply.json["dependencies"] if part["status"] == "down"] == ["cache"]
    assert "secret" not in reply.text
    assert "health check: cache is down" in caplog.text


EXPECTED = ["ingest_file", "purge"]
expecting = pytest.mark.parametrize("settings", [{"expected_workers": EXPECTED}], indirect=True)


@expecting
def test_it_is_down_while_an_expected_worker_is_missing(services, clock):
    def look():
        reply = as_user("ada")("GET", "/health")
        return reply.status, {each["function"]: each["status"] for each in reply.json["workers"]}

    assert look() == (503, {"ingest_file": "down", "purge": "down"})
    record_heartbeat({"ingest_file"}, cache=services.cache, now=clock.now())
    assert look() == (503, {"ingest_file": "ok", "purge": "down"})
    record_heartbeat({"purge"}, cache=services.cache, now=clock.now())
    assert look() == (200, {"ingest_file": "ok", "purge": "ok"})
    clock.advance(timedelta(seconds=46))
    assert look() == (503, {"ingest_file": "down", "purge": "down"})


@pytest.mark.parametrize("stored", [b"", b"soon", b"\xff", b"2026-07-01T00:00:00", b"12"])
def test_a_heartbeat_that_no_worker_wrote_is_none(services, clock, stored):
    services.cache.put([CacheEntry("worker:purge", stored, 60)])
    [found] = worker_statuses(["purge"], cache=services.cache, now=clock.now())
    assert (found.status, found.seen_seconds_ago) == ("down", None)


def test_a_heartbeat_from_a_clock_that_is_ahead_is_one_of_now(services, clock):
    record_heartbeat(["purge"], cache=services.cache, now=clock.now() + timedelta(seconds=20))
    [found] = worker_statuses(["purge"], cache=services.cache, now=clock.now())
    assert (found.status, found.seen_seconds_ago) == ("ok", 0.0)


def until(done):
    give_up = time.monotonic() + 60
    while not done():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def worker_sees(services, clock, names):
    found = worker_statuses(names, cache=services.cache, now=clock.now())
    return {one.function for one in found if one.status == "ok"}


def test_a_worker_is_seen_as_soon_as_its_queues_answer(services, clock, monkeypatch):
    class Hanging:
        def receive(self, *, limit, wait_seconds):
            time.sleep(wait_seconds or 0.1)
            raise Unavailable(dependency="sqs")

    services.purges = Hanging()
    stop = threading.Event()
    names = ["ingest_file", "purge", "sweep"]
    thread = threading.Thread(target=work, args=(names, stop))
    thread.start()
    every = [*names, "reset_quotas"]
    until(lambda: worker_sees(services, clock, every) == {"ingest_file", "sweep", "reset_quotas"})
    stop.set()
    thread.join(timeout=60)


def test_a_worker_whose_queue_stopped_answering_is_no_longer_seen(services, clock, monkeypatch):
    monkeypatch.setattr(queue_consumer, "STALLED_SECONDS", 0.3)
    monkeypatch.setattr(queue_consumer, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.05)
    queue = services.purges

    class Failing:
        def receive(self, *, limit, wait_seconds):
            if hung.is_set():
                raise Unavailable(dependency="sqs")
            return queue.receive(limit=limit, wait_seconds=0)

    hung, stop = threading.Event(), threading.Event()
    services.purges = Failing()
    thread = threading.Thread(target=work, args=(["purge"], stop))
    thread.start()
    until(lambda: worker_sees(services, clock, ["purge"]))
    hung.set()
    time.sleep(0.5)
    services.cache = MemoryCache()  # as if what was written had expired
    time.sleep(0.3)
    assert not worker_sees(services, clock, ["purge"])
    hung.clear()
    until(lambda: worker_sees(services, clock, ["purge"]))
    stop.set()
    thread.join(timeout=60)
