"""Metrics kept in the process and read through `/metrics`."""

import threading

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class PrometheusMetrics:
    """Counters and histograms, made when first used; a metric keeps the labels of its first use."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._lock = threading.Lock()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        with self._lock:
            counter = self._counters.get(name)
            if counter is None:
                counter = self._counters[name] = Counter(name, name, sorted(labels), registry=self.registry)
        (counter.labels(**labels) if labels else counter).inc(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        with self._lock:
            histogram = self._histograms.get(name)
            if histogram is None:
                histogram = Histogram(name, name, sorted(labels), registry=self.registry, buckets=BUCKETS)
                self._histograms[name] = histogram
        (histogram.labels(**labels) if labels else histogram).observe(seconds)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
