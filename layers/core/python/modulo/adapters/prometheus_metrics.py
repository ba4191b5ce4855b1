"""Metrics kept in the process, or in files that several processes share, and read through `/metrics`."""

import os
import threading
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
Kind = TypeVar("Kind", Counter, Gauge, Histogram)


class PrometheusMetrics:
    """Counters, gauges and histograms, made when first used; a metric keeps the labels of its first use.

    Where `PROMETHEUS_MULTIPROC_DIR` is set, as the library itself wants it, what is read is the sum over all
    processes.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}
        self._labelled: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        self._metric(Counter, name, labels).inc(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        self._metric(Histogram, name, labels, buckets=BUCKETS).observe(seconds)

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        self._metric(Gauge, name, labels, multiprocess_mode="livesum").inc(change)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self.registry)
        every = CollectorRegistry()
        MultiProcessCollector(every)  # type: ignore[no-untyped-call] # the library leaves it untyped
        return generate_latest(every)

    def _metric(self, kind: type[Kind], name: str, labels: dict[str, str], **options: Any) -> Kind:
        key = (name, *labels.items())
        found: Kind | None = self._labelled.get(key)
        return self._make(key, kind, name, labels, options) if found is None else found

    def _make(
        self, key: tuple[Any, ...], kind: type[Kind], name: str, labels: dict[str, str], options: dict[str, Any]
    ) -> Kind:
        with self._lock:
            metric = self._made.get(name)
            if metric is None:
                metric = self._made[name] = kind(name, name, sorted(labels), registry=self.registry, **options)
            made: Kind = metric.labels(**labels) if labels else metric
            self._labelled[key] = made
        return made


def forget(process: int) -> None:
    """Take a process that died out of the sums of gauges; what it counted stays counted."""
    mark_process_dead(process)  # type: ignore[no-untyped-call] # the library leaves it untyped
