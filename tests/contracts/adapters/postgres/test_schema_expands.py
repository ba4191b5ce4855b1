"""Migrations only add: code of before an upgrade works on the schema of after it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, NullPool, text

from modulo.adapters.postgres.engine import engine, transaction
from modulo.adapters.postgres.schema import alembic_config
from modulo.cli.build import ROOT
from tests.contracts.adapters.postgres.empty_database import empty_database
from tests.contracts.adapters.postgres.migration_scripts import migrations
from tests.servers import Environment

VERSIONS = sorted((ROOT / "infra" / "migrations" / "versions").glob("*.py"))
BEFORE_THE_RULE = {f"{number:04}" for number in range(1, 21)}
"""The first release's own; from the next one on, releases are upgraded while they are in use."""
CONTRACTS = "CONTRACTS"
"""What a migration that takes something away states: since which release no code uses that."""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE%'
"""
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public'
"""


@dataclass(frozen=True)
class Catalogue:
    """What code relies on: columns with type, nullability and default, and what rows must fulfil."""

    columns: dict[tuple[str, str], tuple[str, bool, bool]]
    constraints: frozenset[tuple[str, ...]]

    @property
    def tables(self) -> set[str]:
        return {table for table, _ in self.columns}


def catalogue(connection: Connection) -> Catalogue:
    columns = {
        (table, column): (kind, nullable == "YES", default is not None)
        for table, column, kind, nullable, default in connection.execute(text(COLUMNS))
    }
    return Catalogue(columns, frozenset(tuple(row) for row in connection.execute(text(CONSTRAINTS))))


KINDS = 'op.execute("ALTER TABLE things DROP CONSTRAINT kinds, ADD CONSTRAINT kinds CHECK (name IN ({}))")'


def widens(known: str, definition: str) -> bool:
    """Whether a rule allows what it allowed, and more values of the same list."""
    lists = [re.findall(r"'[^']*'", each) for each in (known, definition)]
    rests = [re.sub(r"ARRAY\[[^]]*\]", "", each) for each in (known, definition)]
    return rests[0] == rests[1] and set(lists[0]) < set(lists[1])


def breaks(before: Catalogue, after: Catalogue) -> Iterator[str]:
    """What code of before can no longer do."""
    for place, (kind, nullable, default) in before.columns.items():
        if place not in after.columns:
            yield f"{place}: gone"
            continue
        kind_now, nullable_now, default_now = after.columns[place]
        if kind_now != kind:
            yield f"{place}: {kind} became {kind_now}"
        if nullable and not nullable_now:
            yield f"{place}: must have a value now"
        if default and not default_now:
            yield f"{place}: lost its default"
    for place in after.columns.keys() - before.columns.keys():
        _, nullable, default = after.columns[place]
        if place[0] in before.tables and not (nullable or default):
            yield f"{place}: must be given a value"
    new = after.columns.keys() - before.columns.keys()
    for table, name, definition in after.constraints - before.constraints:
        of_new_columns = any(table == one and re.search(rf"\b{column}\b", definition) for one, column in new)
        wider = any(widens(known, definition) for *place, known in before.constraints if place == [table, name])
        if table in before.tables and not of_new_columns and not wider:
            yield f"{table}: a new rule {name} for rows that are written as before"


def steps(connection: Connection, folder: Path, revisions: list[str]) -> dict[str, list[str]]:
    """What each migration breaks."""
    found = {}
    before = catalogue(connection)
    for revision in revisions:
        command.upgrade(alembic_config(connection, folder), revision)
        after = catalogue(connection)
        found[revision] = sorted(breaks(before, after))
        before = after
    return found


def stated(path: Path) -> str | None:
    """The release that a migration states to contract since."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == CONTRACTS:
            return str(ast.literal_eval(node.value))
    return None


def test_a_migration_takes_nothing_from_the_code_of_before(postgres: Environment) -> None:
    with empty_database(postgres) as settings:
        pool = engine(settings, settings.database_url or "", poolclass=NullPool)
        revisions = [path.name.partition("_")[0] for path in VERSIONS]
        with transaction(pool) as connection:
            found = steps(connection, ROOT / "infra" / "migrations", revisions)
    contracting = {path.name.partition("_")[0] for path in VERSIONS if stated(path)}
    broken = {revision: broken for revision, broken in found.items() if broken}
    assert broken.keys() - contracting - BEFORE_THE_RULE == set(), broken


@pytest.mark.parametrize(
    ("upgrade", "broken"),
    [
        ("op.execute('ALTER TABLE things DROP COLUMN name')", "('things', 'name'): gone"),
        ("op.execute('DROP TABLE things')", "('things', 'id'): gone"),
        ("op.execute('ALTER TABLE things RENAME TO stuff')", "('things', 'id'): gone"),
        (
            "op.execute('ALTER TABLE things ALTER name TYPE varchar(9)')",
            "('things', 'name'): text became character varying",
        ),
        ("op.execute('ALTER TABLE things ALTER name SET NOT NULL')", "('things', 'name'): must have a value now"),
        ("op.execute('ALTER TABLE things ALTER id DROP DEFAULT')", "('things', 'id'): lost its default"),
        ("op.execute('ALTER TABLE things ADD age int NOT NULL')", "('things', 'age'): must be given a value"),
        ("op.execute('ALTER TABLE things ADD CONSTRAINT c CHECK (id > 0)')", "things: a new rule c"),
        ("op.execute('CREATE UNIQUE INDEX u ON things (name)')", "things: a new rule u"),
        (KINDS.format("'a', 'b', 'c'"), None),
        (KINDS.format("'a', 'c'"), "things: a new rule kinds"),
        (KINDS.format("'a'"), "things: a new rule kinds"),
        ("op.execute('ALTER TABLE things ADD age int CHECK (age > 0)')", None),
        ("op.execute('ALTER TABLE things ADD age int NOT NULL DEFAULT 1')", None),
        ("op.execute('CREATE TABLE more (id int PRIMARY KEY)')", None),
        ("op.execute('CREATE INDEX i ON things (name)')", None),
        ("op.execute('ALTER TABLE things ALTER id DROP NOT NULL')", None),
    ],
)
def test_what_breaks_the_code_of_before_is_seen(
    postgres: Environment, tmp_path: Path, upgrade: str, broken: str | None
) -> None:
    make = (
        'op.execute("CREATE TABLE things (id int NOT NULL DEFAULT 1, name text, '
        "CONSTRAINT kinds CHECK (name IN ('a', 'b')))\")"
    )
    with empty_database(postgres) as settings:
        pool = engine(settings, settings.database_url or "", poolclass=NullPool)
        with transaction(pool) as connection:
            found = steps(connection, migrations(tmp_path, make, upgrade), ["1", "2"])["2"]
    assert len(found) == len(set(found))
    assert any(one.startswith(broken) for one in found) if broken else found == [], found
