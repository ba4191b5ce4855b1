"""Metrics as CloudWatch's embedded metric format: one log line an observation, no call to make."""

import json
import sys
from time import time

NAMESPACE = "Modulo"


class EmfMetrics:
    """Prints each metric where CloudWatch Logs picks it up."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        _print(name, "Count", value, labels)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        _print(name, "Seconds", seconds, labels)

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """Nothing: a function's environment knows only of itself, and CloudWatch has what the servers see."""


def _print(name: str, unit: str, value: float, labels: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(labels)], "Metrics": [{"Name": name, "Unit": unit}]}
    metadata = {"Timestamp": round(time() * 1000), "CloudWatchMetrics": [directive]}
    # One write a line, so that no other thread's line comes between.
    sys.stdout.write(json.dumps({"_aws": metadata, **labels, name: value}, separators=(",", ":")) + "\n")
    sys.stdout.flush()
