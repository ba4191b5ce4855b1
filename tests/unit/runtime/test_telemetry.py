"""Log fields in this process. Whole functions log in tests/functions/test_telemetry.py."""

import json
import logging
import threading
from collections.abc import Iterator

import pytest

from modulo.domain.errors import BadModelAnswer, ModuloError, Throttled, TimedOut, Unavailable
from modulo.lean_imports import LAMBDA
from modulo.runtime.telemetry import add_log_fields, configure_logging, count_failure, set_log_fields
from modulo.services import Services, install
from modulo.settings import Settings
from tests.doubles.memory_metrics import MemoryMetrics


@pytest.fixture(params=[True, False], ids=["lambda", "server"])
def lambda_(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    if request.param:
        monkeypatch.setenv(LAMBDA, "search")
    else:
        monkeypatch.delenv(LAMBDA, raising=False)
    configure_logging("INFO")
    yield request.param
    set_log_fields()


def test_fields_last_until_others_are_set(lambda_: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("modulo.test")
    set_log_fields(file_id="one")
    add_log_fields(tenant_id="acme")
    log.warning("first")
    thread = threading.Thread(target=log.warning, args=("in a thread",))
    thread.start()
    thread.join()
    set_log_fields(file_id="two")
    log.warning("second")
    first, threaded, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["file_id"], first["tenant_id"]) == ("one", "acme")
    assert ("file_id" in threaded) is lambda_, "a server's thread works for whoever called it"
    assert second["file_id"] == "two"
    assert "tenant_id" not in second


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unavailable(dependency="milvus"), "unavailable"),
        (TimedOut(dependency="milvus"), "unavailable"),
        (Throttled(dependency="milvus"), "throttled"),
    ],
)
def test_a_failure_counts_for_the_server_that_it_names(error: ModuloError, kind: str) -> None:
    counts = counted(error)
    assert counts == {("rag_dependency_failures_total", (("dependency", "milvus"), ("kind", kind))): 1}


@pytest.mark.parametrize("error", [Unavailable(), BadModelAnswer(), KeyError("dependency")])
def test_a_failure_that_names_no_server_counts_for_none(error: Exception) -> None:
    assert counted(error) == {}


def counted(error: Exception) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    ours = Services(Settings())
    metrics = vars(ours)["metrics"] = MemoryMetrics()
    install(ours)
    try:
        count_failure(error)
    finally:
        install(None)
    return dict(metrics.counts)
