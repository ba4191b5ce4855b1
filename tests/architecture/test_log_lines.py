"""Log lines are read alone, at night: each names what it is about."""

import ast
from collections.abc import Iterator

from tests.architecture.sources import PACKAGE

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGERS = {"log", "_log", "logger"}


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in ("usecases", "runtime", "adapters", "services"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in LEVELS
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id in LOGGERS
                ):
                    yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def test_every_log_line_names_its_subject() -> None:
    calls = list(log_calls())
    assert len(calls) > 30
    assert [place for place, call in calls if len(call.args) < 2] == []


def test_a_line_that_only_repeats_an_error_has_another_subject() -> None:
    """A message's only value may not be the error: three such lines in a row tell nothing apart."""
    alone = []
    for place, call in log_calls():
        values = [ast.unparse(value) for value in call.args[1:]]
        if len(values) == 1 and values[0].split(".")[0] in {"error", "problem", "refused", "type(error)"}:
            alone.append(place)
    assert alone == []
