"""Metrics for a process whose numbers nobody collects."""


class NoMetrics:
    """Forgets everything it is told."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """See `ports.Metrics`."""

    def flush(self) -> None:
        """See `ports.Metrics`."""
