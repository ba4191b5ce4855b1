"""A worker's own port, for probes and for Prometheus."""

import httpx
import pytest
from pydantic import SecretStr

from modulo.adapters.no_metrics import NoMetrics
from modulo.adapters.prometheus_metrics import PrometheusMetrics
from modulo.cli import worker_port as subject
from modulo.cli.stack.process import free_port
from modulo.services import Services, install
from modulo.settings import Settings

TOKEN = "secret" * 6


@pytest.fixture
def services():
    made = Services(Settings(metrics_token=SecretStr(TOKEN)))
    made.metrics = PrometheusMetrics()
    made.metrics.count("rag_requests_total", endpoint="x", method="GET", status="200")
    install(made)
    yield made
    install(None)


@pytest.fixture
def url(services):
    port = free_port()
    with subject.worker_port("127.0.0.1", port, subject.Pulse()):
        yield f"http://127.0.0.1:{port}"


def test_a_worker_that_goes_round_lives(url):
    assert httpx.get(f"{url}/live", timeout=60).status_code == 200


def test_one_that_stands_still_does_not(url, monkeypatch):
    monkeypatch.setattr(subject, "LIVE_SECONDS", 0.0)
    assert httpx.get(f"{url}/live", timeout=60).status_code == 503


def test_a_beat_makes_it_live_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(subject, "monotonic", lambda: now[0])
    pulse = subject.Pulse()
    now[0] = 31.0
    assert not pulse.is_live
    pulse.beat()
    assert pulse.is_live


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer \xff"}])
def test_metrics_need_their_token(url, given):
    headers = {name: value.encode("latin-1") for name, value in given.items()}
    assert httpx.get(f"{url}/metrics", headers=headers, timeout=60).status_code == 401


def test_metrics_are_those_of_the_process(url):
    answer = httpx.get(f"{url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert (answer.status_code, 'rag_requests_total{endpoint="x"' in answer.text) == (200, True)


def test_without_a_token_there_are_no_metrics(url, services):
    services.settings = Settings()
    assert httpx.get(f"{url}/metrics", headers={"authorization": "Bearer x"}, timeout=60).status_code == 401


@pytest.mark.parametrize("kept", ["emf", "none:"])
def test_metrics_that_are_kept_elsewhere_are_not_there_to_be_read(url, services, kept):
    services.settings = Settings(metrics_token=SecretStr(TOKEN), metrics=kept)
    services.metrics = NoMetrics()
    answer = httpx.get(f"{url}/metrics", headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert answer.status_code == 404
    assert f"METRICS={kept} " in answer.text
    assert "METRICS=prometheus" in answer.text


def test_other_paths_and_methods_are_refused(url):
    assert httpx.get(f"{url}/", timeout=60).status_code == 404
    assert httpx.post(f"{url}/live", timeout=60).status_code == 501
