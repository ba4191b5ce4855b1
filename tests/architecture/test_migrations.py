"""How migrations are written: in transactions, except for what one module does."""

import ast
import re

from tests.architecture.sources import PACKAGE, ROOT, modules

ENGINE = PACKAGE / "adapters" / "postgres" / "engine.py"
CONCURRENT = PACKAGE / "adapters" / "postgres" / "concurrent_indexes.py"
CALLS = {"add_index", "drop_index"}


def test_nothing_leaves_transactions_but_by_the_two_modules_for_it() -> None:
    """Behind a transaction pooler, a connection without transactions reads the answers of other clients."""
    left = re.compile(
        r"isolation_level=|execution_options\(|autocommit_block|\.autocommit = |CONCURRENTLY|concurrently="
    )
    found = {
        path
        for path in modules("layers/core/python/modulo", "functions", "infra/migrations")
        if left.search(path.read_text())
    }
    assert found == {ENGINE, CONCURRENT}


def test_a_migration_that_makes_an_index_concurrently_does_nothing_else() -> None:
    for path in modules("infra/migrations/versions"):
        text = path.read_text()
        if "concurrent_indexes" in text:
            (upgrade,) = [
                node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
            ]
            called = {ast.unparse(node.func) for node in ast.walk(upgrade) if isinstance(node, ast.Call)}
            assert called <= CALLS, path


def test_migrations_are_one_line() -> None:
    """Two that follow the same one would leave the schema without an order."""
    found = {}
    for path in sorted((ROOT / "infra" / "migrations" / "versions").glob("*.py")):
        stated = {
            ast.unparse(node.targets[0]): ast.literal_eval(node.value)
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        }
        assert path.name.startswith(f"{stated['revision']}_")
        found[stated["revision"]] = stated["down_revision"]
    assert found == dict(zip(sorted(found), [None, *sorted(found)][:-1], strict=True))
