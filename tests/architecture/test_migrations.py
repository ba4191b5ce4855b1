"""How migrations are written: in transactions, except for what one module does."""

import ast
import re

from tests.architecture.sources import PACKAGE, ROOT, modules
from tests.contracts.adapters.postgres.test_schema_expands import BEFORE_THE_RULE

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


def test_a_table_that_is_there_gets_its_indexes_concurrently() -> None:
    """Making one otherwise keeps everybody from writing for as long as it takes, which no timeout of locks ends."""
    found = {path.name: held_up(path.read_text()) for path in modules("infra/migrations/versions")}
    assert {name: tables for name, tables in found.items() if tables and name[:4] not in BEFORE_THE_RULE} == {}
    assert found["0004_changes.py"] == {"generations"}, "of the first release, which nobody used yet"


def held_up(text: str) -> set[str]:
    """The tables that a migration indexes in its transaction and has not made itself; their name, or the statement."""
    (upgrade,) = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    made = {ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "op.create_table"}
    indexed = {ast.literal_eval(call.args[1]) for call in calls if ast.unparse(call.func) == "op.create_index"}
    written = {ast.unparse(call) for call in calls if ast.unparse(call.func) == "op.execute"}
    return (indexed - made) | {one for one in written if re.search(r"CREATE\s+(UNIQUE\s+)?INDEX", one, re.IGNORECASE)}


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
