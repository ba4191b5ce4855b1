"""A server loads what its requests need before the first of them."""

import gc
import socket
import sys
from collections.abc import Iterator

import pytest

from modulo.cli.warm_start import warm_start
from modulo.services import Services, install, services
from modulo.settings import Settings

NOWHERE = "127.0.0.1:9"
CONFIGURED = Settings(
    database_url=f"postgresql+pg8000://modulo@{NOWHERE}/modulo?sslmode=disable",
    cache_url=f"redis://{NOWHERE}",
    milvus_uri=f"http://{NOWHERE}",
    blobs_bucket="documents",
    embedding_url=f"http://{NOWHERE}/v1",
    sockets_url="none:",
)


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    install(None)
    gc.unfreeze()


def test_what_requests_use_is_loaded_and_nothing_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address))
    install(Services(CONFIGURED))
    warm_start()
    made = set(vars(services()))
    assert made >= {"cache", "vectors", "blobs", "embedder", "reranker", "generator", "collections", "files", "usage"}
    assert {"pymilvus", "boto3", "sqlalchemy", "redis", "mcp"} <= set(sys.modules)
    assert connected == []


def test_what_is_loaded_is_no_longer_looked_through_for_garbage() -> None:
    install(Services(CONFIGURED))
    before = gc.get_freeze_count()
    warm_start()
    assert gc.get_freeze_count() > before


def test_a_missing_setting_is_left_to_the_first_request() -> None:
    install(Services(Settings(cache_url=f"redis://{NOWHERE}")))
    warm_start()
    made = set(vars(services()))
    assert "cache" in made
    assert "blobs" not in made
