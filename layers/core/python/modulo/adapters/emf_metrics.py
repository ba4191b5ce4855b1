"""Metrics as CloudWatch's embedded metric format: one log line an observation, no call to make."""

from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Modulo"


class EmfMetrics:
    """Prints each metric where CloudWatch Logs picks it up."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """See `ports.Metrics`."""
        _print(name, MetricUnit.Count, value, labels)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """See `ports.Metrics`."""
        _print(name, MetricUnit.Seconds, seconds, labels)


def _print(name: str, unit: MetricUnit, value: float, labels: dict[str, str]) -> None:
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        for label, text in labels.items():
            metric.add_dimension(name=label, value=text)
