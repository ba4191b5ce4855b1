import threading

from modulo.domain.errors import Unavailable
from modulo.usecases.health import health
from tests.functions.conftest import invoke


def test_live_asks_nothing(services):
    reply = invoke("GET", "/health", query={"probe": "live"})
    assert reply.status == 200
    assert reply.json == {"status": "ok", "version": "0.1.0", "dependencies": []}


def test_ready_names_every_part_with_its_latency(services):
    reply = invoke("GET", "/health")
    parts = {part["name"]: part for part in reply.json["dependencies"]}
    assert reply.status == 200
    assert set(parts) == {"postgres", "cache", "vectors", "blobs", "queue", "embedder", "reranker", "generator"}
    assert all(part["status"] == "ok" and part["latency_ms"] >= 0 for part in parts.values())


def test_a_part_that_does_not_answer_in_time_is_down():
    release = threading.Event()
    found = health({"slow": release.wait, "quick": lambda: None}, version="1", timeout=0.05)
    release.set()
    assert {part.name: part.status for part in found.dependencies} == {"slow": "down", "quick": "ok"}


def test_a_part_that_is_down_is_503_and_named_without_its_secrets(services):
    class Down:
        def ping(self):
            raise Unavailable("redis://:secret@host refused", dependency="valkey")

    services.cache = Down()
    reply = invoke("GET", "/health")
    assert (reply.status, reply.json["status"]) == (503, "down")
    assert [part["name"] for part in reply.json["dependencies"] if part["status"] == "down"] == ["cache"]
    assert "secret" not in reply.text
