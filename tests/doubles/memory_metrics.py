"""Metrics that nobody collects; tests read them back."""

from collections import defaultdict


class MemoryMetrics:
    """Sums of counters, levels of gauges, and every duration, by name and labels."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)
        self.durations: dict[tuple[str, tuple[tuple[str, str], ...]], list[float]] = defaultdict(list)

        self.levels: dict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        self.counts[name, tuple(sorted(labels.items()))] += value

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        self.durations[name, tuple(sorted(labels.items()))].append(seconds)

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        self.levels[name, tuple(sorted(labels.items()))] += change

    def flush(self) -> None:
        """Nothing: tests read it in place."""
