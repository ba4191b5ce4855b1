"""Metrics as CloudWatch's embedded metric format, by Powertools: log lines, no call to make."""

import json
import sys
from collections.abc import Mapping
from threading import Lock
from typing import Final

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

NAMESPACE: Final = "Modulo"
STACK: Final = "stack"
"""The dimension that every metric has, so that one deployment's alarms cannot be fired by another."""
MAX_VALUES: Final = 99
"""Of one metric in one line; the provider prints a line of its own when it holds one more."""
DECIMALS: Final = 6
"""Of a value: microseconds."""

Labels = tuple[tuple[str, str], ...]


class EmfMetrics:
    """Prints what was recorded during an invocation where CloudWatch Logs picks it up, one line a label set."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._lock = Lock()
        self._recorded: dict[Labels, AmazonCloudWatchEMFProvider] = {}

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        self._record(name, "Count", value, labels)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        self._record(name, "Seconds", seconds, labels)

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """Nothing: a function's environment knows only of itself, and CloudWatch has what the servers see."""

    def flush(self) -> None:
        """Print what was recorded since the last time."""
        with self._lock:
            recorded, self._recorded = self._recorded, {}
        for provider in recorded.values():
            _print(provider)

    def _record(self, name: str, unit: str, value: float, labels: Mapping[str, str]) -> None:
        key = tuple(sorted(labels.items()))
        with self._lock:
            provider = self._recorded.get(key)
            if provider is None:
                dimensions = {STACK: self._stack, **labels}
                provider = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service="", dimension_set=dimensions)
                self._recorded[key] = provider
            provider.add_metric(name, unit, round(value, DECIMALS))
            full = len(provider.metric_set[name]["Value"]) >= MAX_VALUES
            if full:
                del self._recorded[key]
        if full:
            _print(provider)


def _print(provider: AmazonCloudWatchEMFProvider) -> None:
    # One write a line, so that no other thread's line comes between.
    sys.stdout.write(json.dumps(provider.serialize_metric_set(), separators=(",", ":")) + "\n")
    sys.stdout.flush()
