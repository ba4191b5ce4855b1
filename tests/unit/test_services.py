"""What services do without an address."""

import time
from contextlib import closing
from uuid import uuid4

import pytest

from modulo.adapters.aws.stored_secret import StoredSecret
from modulo.domain.answers.answer import Prompt
from modulo.domain.errors import NotConfigured, TimedOut, Unavailable
from modulo.services import Services, secret_of
from modulo.settings import BGE_SMALL, Settings
from tests.contracts.provider import Answer, Provider
from tests.unit.passages import passage

NEEDED = {
    "DATABASE_URL": ("tenants", "files", "grants", "usage", "database"),
    "CACHE_URL": ("cache",),
    "MILVUS_URI": ("vectors",),
    "BLOBS_BUCKET": ("blobs",),
    "PURGE_QUEUE_URL": ("purges",),
    "FETCH_QUEUE_URL": ("fetches",),
    "INGEST_QUEUE_URL": ("ingests",),
    "DEAD_LETTERS_QUEUE_URL": ("dead_letter_queue",),
    "SCHEDULES_QUEUE_URL": ("schedules",),
    "EMBEDDING_URL": ("embedder",),
}


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return Services(Settings())


@pytest.mark.parametrize(("variable", "port"), [(name, port) for name, ports in NEEDED.items() for port in ports])
def test_a_port_without_an_address_names_the_variable_when_it_is_first_used(services, variable, port):
    for _ in range(2):
        with pytest.raises(NotConfigured) as caught:
            getattr(services, port)
        assert caught.value.detail == f"{variable} is not set: this server cannot work without it."
        assert (caught.value.status, caught.value.code()) == (503, "not-configured")


def test_every_ping_of_what_has_no_address_fails_by_itself(services):
    pings = services.pings()
    generator = pings.pop("generator")
    generator()
    assert set(pings) == {"postgres", "cache", "vectors", "blobs", "queue", "embedder"}
    for ping in pings.values():
        with pytest.raises(NotConfigured):
            ping()


def test_optional_parts_are_done_without(services):
    assert services.reranker is None
    assert services.tesseract is None
    services.metrics.count("rag_requests_total", route="/search")
    services.metrics.observe("rag_request_duration_seconds", 0.1)
    services.metrics.adjust("rag_active_connections", 1)
    services.metrics.flush()
    assert services.sockets.send("connection", "message") is False
    services.sockets.disconnect("connection")


def test_the_push_queue_that_is_done_without_drops_what_it_is_sent_and_lets_pollers_wait(services):
    queue = services.pushes
    queue.send({"collection": "x"}, delay_seconds=1)
    assert queue.pending() == 0
    started = time.monotonic()
    assert queue.receive(limit=1, wait_seconds=1) == []
    assert time.monotonic() - started >= 1
    queue.postpone("receipt", 1)
    queue.delete("receipt")
    queue.ping()


def test_a_change_is_announced_to_nobody_without_a_push_queue(services, caplog):
    services.announce(uuid4(), uuid4())
    assert caplog.text == ""


def test_what_is_not_configured_counts_as_unavailable():
    assert issubclass(NotConfigured, Unavailable)
    assert NotConfigured.retryable, "the operator sets the variable, and what waits in a queue goes well"


def test_a_setting_that_names_a_secret_is_read_when_it_is_needed():
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modulo/embedder-AbCdEf"
    made = Services(Settings(embedding_url="http://127.0.0.1:1/v1", embedding_api_key=arn, milvus_token="root:Milvus"))
    assert isinstance(secret_of(made.settings.embedding_api_key), StoredSecret)
    assert secret_of(made.settings.milvus_token) == "root:Milvus"
    assert secret_of(None) is None
    assert made.embedder.embed(BGE_SMALL, []) == [], "nothing was read"


def test_the_url_of_a_cache_may_be_a_secret_that_is_not_read_before_it_is_used():
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modulo/cache-AbCdEf"
    made = Services(Settings(cache_url=arn))
    assert isinstance(made.cache._url, StoredSecret)
    made.cache.close()
    assert isinstance(Services(Settings(cache_url="redis://127.0.0.1:1")).cache._url, str)


def test_nobody_waits_longer_for_the_reranker_than_the_setting_says() -> None:
    with Provider(Answer(pause=30)) as provider:
        made = Services(Settings(rerank_url=provider.url, rerank_seconds=0.2, model_timeout_seconds=60))
        with closing(made), pytest.raises(TimedOut):
            made.generator.generate(Prompt("What falls?", [passage("Rain falls. Snow falls.")]))
