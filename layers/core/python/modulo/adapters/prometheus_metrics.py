"""Metrics in Prometheus' format, kept in the process or in files that several processes share."""

import os
import threading
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from modulo.ports.metrics import HELP

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
Kind = TypeVar("Kind", Counter, Gauge, Histogram)


class PrometheusMetrics:
    """Counters, gauges and histograms, created on first use; a metric keeps the label names of its first use.

    If `PROMETHEUS_MULTIPROC_DIR`, a variable of the library, is set, the exposition sums over all processes.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._by_name: dict[str, Any] = {}
        self._by_labels: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.metrics.Metrics`."""
        self._metric(Counter, name, labels).inc(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.metrics.Metrics`."""
        self._metric(Histogram, name, labels, buckets=BUCKETS).observe(seconds)

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """See `ports.metrics.Metrics`."""
        self._metric(Gauge, name, labels, multiprocess_mode="livesum").inc(change)

    def flush(self) -> None:
        """Nothing: Prometheus asks for it."""

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self.registry)
        all_processes = CollectorRegistry()
        MultiProcessCollector(all_processes)  # type: ignore[no-untyped-call] # the library has no annotation
        return generate_latest(all_processes)

    def _metric(self, kind: type[Kind], name: str, labels: dict[str, str], **options: Any) -> Kind:
        key = (name, *labels.items())
        found: Kind | None = self._by_labels.get(key)
        return self._create(key, kind, name, labels, options) if found is None else found

    def _create(
        self, key: tuple[Any, ...], kind: type[Kind], name: str, labels: dict[str, str], options: dict[str, Any]
    ) -> Kind:
        with self._lock:
            metric = self._by_name.get(name)
            if metric is None:
                metric = self._by_name[name] = kind(
                    name, HELP.get(name, name), sorted(labels), registry=self.registry, **options
                )
            labelled: Kind = metric.labels(**labels) if labels else metric
            self._by_labels[key] = labelled
        return labelled


def forget(process: int) -> None:
    """Remove a process that has ended from the sums of gauges; its counters stay."""
    mark_process_dead(process)  # type: ignore[no-untyped-call] # the library has no annotation
