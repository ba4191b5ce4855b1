"""What every kind of metrics promises, and how many connections to Postgres are said to work."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from modulo.adapters.aws.emf_metrics import EmfMetrics
from modulo.adapters.postgres.connection_gauge import count_in_use
from modulo.adapters.postgres.engine import engines, statements, transaction
from modulo.adapters.prometheus_metrics import PrometheusMetrics
from modulo.domain.errors import Unavailable
from modulo.ports.metrics import Metrics
from modulo.settings import Settings
from tests.doubles.memory_metrics import MemoryMetrics

SHARED = """
import os, sys
from modulo.adapters.prometheus_metrics import PrometheusMetrics, forget
metrics = PrometheusMetrics()
child = os.fork()
metrics.count("c", 2, a="b")
metrics.adjust("g", 3)
metrics.observe("h", 0.2)
if child:
    os.waitpid(child, 0)
    print(metrics.exposition().decode())
    forget(child)
    print("after", metrics.exposition().decode())
else:
    os._exit(0)
"""


@pytest.mark.parametrize("make", [MemoryMetrics, PrometheusMetrics, partial(EmfMetrics, "staging")])
def test_any_value_is_taken_with_and_without_labels(make: Callable[[], Metrics]) -> None:
    metrics = make()
    for labels in ({}, {"stage": "x"}):
        for _ in range(2):
            metrics.count(f"c{len(labels)}", 2, **labels)
            metrics.observe(f"o{len(labels)}", 0.5, **labels)
            metrics.adjust(f"a{len(labels)}", -1, **labels)
        metrics.flush()


def test_labels_name_a_series_whatever_their_order() -> None:
    metrics = PrometheusMetrics()
    metrics.count("c", a="1", b="2")
    metrics.count("c", b="2", a="1")
    assert b'c_total{a="1",b="2"} 2.0' in metrics.exposition()


def test_processes_sum_up(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHARED],
        env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    both, after = shown.split("after")
    assert 'c_total{a="b"} 4.0' in both
    assert "\ng 6.0" in both
    assert "h_count 2.0" in both
    assert 'c_total{a="b"} 4.0' in after
    assert "\ng 3.0" in after


def test_the_gauge_follows_the_connections(postgres: dict[str, str]) -> None:
    metrics = MemoryMetrics()
    pools = count_in_use(engines(Settings(database_url=postgres["DATABASE_URL"], sqlalchemy_pool_size=2)), metrics)

    def working() -> float:
        return metrics.levels["rag_active_connections", ()]

    with transaction(pools[0]), statements(pools[1]) as second:
        assert working() == 2
        second.invalidate()
    assert working() == 0
    down, _ = count_in_use(engines(Settings(database_url="postgresql://nobody@127.0.0.1:1/none")), metrics)
    with pytest.raises(Unavailable), transaction(down):
        pass
    assert working() == 0
    pools[0].dispose()
