"""Every metric that the code records is described, and nothing else is."""

from modulo.ports.metrics import HELP
from tests.architecture.sources import recorded_metrics


def test_every_metric_is_described() -> None:
    assert recorded_metrics().keys() == set(HELP)
