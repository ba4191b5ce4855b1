"""Indexes on tables in use, made and dropped without holding up who writes, for migrations.

Postgres does that outside of transactions only, so it happens on a connection beside the migration's. A migration that
calls this does nothing else: what it did before would be in the way, and if it fails, it is repeated as a whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import sleep
from typing import Any

from alembic import op
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from modulo.adapters.postgres.engine import statements

PAUSE_SECONDS = 0.5


def add_index(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Make an index; the rest of one whose making was interrupted is replaced.

    One that the server is still making is waited for: the process that asked for it may be gone, as a function is that
    ran out of time.

    `options` are those of Alembic's `create_index`, as `unique` and `postgresql_where`.
    """
    with _outside_transactions() as connection:
        operations = Operations(MigrationContext.configure(connection))
        while _is_being_made(connection, name):
            sleep(PAUSE_SECONDS)
        if _is_broken(connection, name):
            operations.drop_index(name, postgresql_concurrently=True)
        operations.create_index(name, table, columns, postgresql_concurrently=True, if_not_exists=True, **options)


def drop_index(name: str) -> None:
    """Drop an index that no earlier code needs."""
    with _outside_transactions() as connection:
        operations = Operations(MigrationContext.configure(connection))
        operations.drop_index(name, postgresql_concurrently=True, if_exists=True)


@contextmanager
def _outside_transactions() -> Iterator[Connection]:
    """It waits for every transaction under way, and nobody waits for it: no timeout ends that."""
    with statements(op.get_bind().engine) as connection:
        connection.exec_driver_sql("SET lock_timeout = 0")
        connection.exec_driver_sql("SET statement_timeout = 0")
        yield connection


def _is_being_made(connection: Connection, name: str) -> bool:
    statement = text("SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid = to_regclass(:name)")
    return bool(connection.execute(statement, {"name": name}).scalar())


def _is_broken(connection: Connection, name: str) -> bool:
    statement = text("SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(connection.execute(statement, {"name": name}).scalar())
