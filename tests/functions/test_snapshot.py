"""What a function has ready in a snapshot, and what it does when it is brought back."""

import random
import sys
from collections.abc import Callable, Iterator
from threading import Event
from types import ModuleType
from typing import Any

import pytest

from modulo import services as root
from modulo.domain.errors import Unavailable
from modulo.runtime.queue import queue_handler
from modulo.runtime.schedule import schedule_handler
from modulo.runtime.worker import function
from modulo.services import Services, install, services
from modulo.settings import Settings

DEPLOYED = Settings(
    database_url="postgresql+pg8000://modulo@127.0.0.1:1/modulo",
    cache_url="redis://127.0.0.1:1",
    milvus_uri="http://127.0.0.1:1",
    blobs_bucket="uploads",
    ingest_queue_url="http://127.0.0.1:1/ingest",
    fetch_queue_url="http://127.0.0.1:1/fetch",
    purge_queue_url="http://127.0.0.1:1/purge",
    push_queue_url="http://127.0.0.1:1/push",
    dead_letters_queue_url="http://127.0.0.1:1/dead-letters",
    embedding_url="http://127.0.0.1:1/v1",
    rerank_url="http://127.0.0.1:1/v1",
    metrics="emf",
)
"""Every store and model has an address, where nobody answers: a snapshot is made without connecting."""
Hooks = dict[str, list[Callable[[], None]]]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    """Lambda's hooks, as they were registered by what was imported in a runtime that takes snapshots."""
    found: Hooks = {"before": [], "after": []}
    package = ModuleType("snapshot_restore_py")
    package.register_before_snapshot = lambda hook, *args: found["before"].append(lambda: hook(*args))  # type: ignore[attr-defined]  # a module made here
    package.register_after_restore = found["after"].append  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", package)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    install(Services(DEPLOYED))
    yield found
    install(None)


def imported_anew(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delitem(sys.modules, f"functions.{name}.app", raising=False)
    return function(name)


PORTS = {
    "search": {"cache", "clock", "embedder", "generator", "grants", "metrics", "reranker", "usage", "vectors"},
    "get_usage": {"clock", "usage"},
    "get_file": {"files"},
    "ingest_file": {"blobs", "cache", "clock", "embedder", "ingestion", "ingests", "metrics", "parser_for", "parts"}
    | {"purges", "unpacker", "uploads", "vectors"},
    "purge": {"blobs", "cache", "clock", "deletions", "purges", "purging", "tenants", "user_files", "vectors"}
    | {"part_uploads"},
    "reset_quotas": {"clock", "usage"},
}
PRIVATE = {"settings", "known_keys"}


@pytest.mark.parametrize("name", PORTS)
def test_a_snapshot_holds_the_ports_of_the_function(name: str, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    imported_anew(name, monkeypatch)
    assert set(vars(services())) - PRIVATE == set()
    (before,) = hooks["before"]
    before()
    made = {port for port in vars(services()) if not port.startswith("_")} - PRIVATE
    assert made - {"metrics"} == PORTS[name] - {"metrics"}  # stores count what they do
    assert PORTS[name] <= made


class Store:
    def __init__(self, failure: Exception | None = None) -> None:
        self.pings = 0
        self.failure = failure

    def ping(self) -> None:
        self.pings += 1
        if self.failure:
            raise self.failure


def test_stores_are_connected_to_after_a_restore(hooks: Hooks) -> None:
    schedule_handler(dict)
    (after,) = hooks["after"]
    stores: dict[str, Any] = {"_pools": Store(), "cache": Store(Unavailable()), "blobs": Store()}
    vars(services()).update(stores)
    after()
    assert {name: store.pings for name, store in stores.items()} == {"_pools": 1, "cache": 1, "blobs": 0}
    assert "vectors" not in vars(services())


def test_a_restore_waits_for_no_store_longer_than_its_share(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_handler(lambda _: [], lambda _: None, lambda s: s.purges)
    monkeypatch.setattr(root, "CONNECT_SECONDS", 0)
    asked, answered, ended = Event(), Event(), Event()

    class Slow:
        def ping(self) -> None:
            asked.set()
            answered.wait(10)
            ended.set()

    vars(services())["_pools"] = Slow()
    hooks["after"][0]()
    assert not ended.is_set()
    assert asked.wait(60)
    answered.set()
    assert ended.wait(60)


def test_environments_of_one_snapshot_do_not_repeat_each_other(hooks: Hooks) -> None:
    schedule_handler(dict)
    drawn = []
    for _ in range(2):
        random.seed(1)
        hooks["after"][0]()
        drawn.append(random.random())
    assert drawn[0] != drawn[1]


def test_nothing_is_registered_elsewhere(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    imported_anew("search", monkeypatch)
    assert hooks == {"before": [], "after": []}
