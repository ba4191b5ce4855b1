"""Indexes made outside of transactions."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, text

from modulo.adapters.postgres.engine import engine, transaction
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
