"""Indexes made outside of transactions."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, NullPool, text

from modulo.adapters.postgres.engine import engine, statements, transaction
from modulo.adapters.postgres.schema import migrate
from modulo.domain.errors import Conflict
from tests.contracts.adapters.postgres.empty_database import empty_database
from tests.contracts.adapters.postgres.migration_scripts import migrations
from tests.servers import Environment

MAKE = "op.execute('CREATE TABLE things AS SELECT 1 AS id FROM generate_series(1, 2)')"
ADD = "add_index('uq_things', 'things', ['id'], unique=True)"


def validity(pool: Engine) -> list[bool]:
    with transaction(pool) as connection:
        return list(
            connection.execute(text("SELECT indisvalid FROM pg_index WHERE indrelid = to_regclass('things')")).scalars()
        )


def test_what_is_left_of_an_interrupted_index_is_replaced(postgres: Environment, tmp_path: Path) -> None:
    with empty_database(postgres) as settings:
        pool = engine(settings, settings.database_url or "", poolclass=NullPool)
        scripts = migrations(tmp_path, MAKE, ADD)
        with pytest.raises(Conflict):
            migrate(settings, scripts=scripts)
        assert validity(pool) == [False], "Postgres leaves the rest of a failed one behind"
        with transaction(pool) as connection:
            connection.execute(text("DELETE FROM things WHERE ctid = '(0,1)'"))
        assert migrate(settings, scripts=scripts) == "2"
        assert validity(pool) == [True]


def test_an_index_that_the_server_is_still_making_is_waited_for(postgres: Environment, tmp_path: Path) -> None:
    """As after a function that ran out of time: the server does not notice that it is gone."""
    with empty_database(postgres) as settings, ThreadPoolExecutor(2) as threads:
        pool = engine(settings, settings.database_url or "", poolclass=NullPool)
        migrate(settings, scripts=migrations(tmp_path, MAKE))
        (tmp_path / "more").mkdir()
        scripts = migrations(tmp_path / "more", MAKE, "add_index('ix_things', 'things', ['id'])")
        with transaction(pool) as writing:
            writing.execute(text("INSERT INTO things VALUES (3)"))  # the index waits for it to end
            making = threads.submit(make_outside_transactions, pool)
            wait_until(lambda: being_made(pool))
            (first,) = being_made(pool)
            migrating = threads.submit(migrate, settings, scripts=scripts)
            wait_until(lambda: asked_for_progress(pool))
            assert not migrating.done()
        making.result(timeout=60)
        assert migrating.result(timeout=60) == "2"
        assert validity(pool) == [True]
        with transaction(pool) as connection:
            assert connection.execute(text("SELECT 'ix_things'::regclass::oid")).scalar_one() == first, "the same one"


def make_outside_transactions(pool: Engine) -> None:
    with statements(pool) as connection:
        connection.exec_driver_sql("CREATE INDEX CONCURRENTLY ix_things ON things (id)")


def being_made(pool: Engine) -> list[int]:
    with transaction(pool) as connection:
        found = text("SELECT index_relid FROM pg_stat_progress_create_index WHERE relid = to_regclass('things')")
        return [oid for oid in connection.execute(found).scalars() if oid]


def asked_for_progress(pool: Engine) -> bool:
    """Whether a migration asks about the index, again and again."""
    with transaction(pool) as connection:
        asked = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE 'SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid%'"
        )
        return bool(connection.execute(asked).scalar_one())


def wait_until(condition: Callable[[], Any]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_an_index_that_is_there_is_kept_and_one_that_is_gone_may_be_dropped(
    postgres: Environment, tmp_path: Path
) -> None:
    with empty_database(postgres) as settings:
        pool = engine(settings, settings.database_url or "", poolclass=NullPool)
        make = "op.execute('CREATE TABLE things (id int)')"
        index = "add_index('ix_things', 'things', ['id'])"
        drop = "drop_index('ix_things')"
        assert migrate(settings, scripts=migrations(tmp_path, make, index, index, drop, drop)) == "5"
        assert validity(pool) == []
