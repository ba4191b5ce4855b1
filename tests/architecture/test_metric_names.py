"""Every metric that the code records is described, and nothing else is."""

import ast

from modulo.ports.metrics import HELP
from tests.architecture.sources import PACKAGE


def recorded() -> set[str]:
    """The names that are given to counters, timings and gauges."""
    return {
        node.args[0].value
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("count", "observe", "adjust")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
        and "_" in node.args[0].value
    }


def test_every_metric_is_described() -> None:
    assert recorded() == set(HELP)
