"""Migrations of a database that is in use: how long they wait, and for whom."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, NullPool, TextClause, make_url, text

from modulo.adapters.postgres import schema
from modulo.adapters.postgres.engine import engine, transaction
from modulo.adapters.postgres.schema import migrate
from modulo.cli.stack.process import free_port
from modulo.domain.errors import InternalError, Unavailable
from modulo.settings import Settings
from tests.contracts.adapters.postgres.empty_database import empty_database
from tests.contracts.adapters.postgres.migration_scripts import migrations
from tests.servers import Environment

MAKE = "op.execute('CREATE TABLE things (id int)')"
ADD = "op.execute('ALTER TABLE things ADD COLUMN name text')"


@pytest.fixture
def empty(postgres: Environment) -> Iterator[Settings]:
    with empty_database(postgres) as settings:
        yield settings


@pytest.fixture
def direct(empty: Settings) -> Engine:
    return engine(empty, empty.database_url or "", poolclass=NullPool)


@contextmanager
def reading(pool: Engine) -> Iterator[Connection]:
    """A transaction that has read the table and is not over."""
    with transaction(pool) as connection:
        connection.execute(text("SELECT count(*) FROM things"))
        yield connection


def columns(pool: Engine) -> list[str]:
    statement = "SELECT column_name FROM information_schema.columns WHERE table_name = 'things' ORDER BY 1"
    with transaction(pool) as connection:
        return list(connection.execute(text(statement)).scalars())


def test_a_migration_may_take_longer_than_any_statement_of_a_request(empty: Settings, tmp_path: Path) -> None:
    hasty = empty.model_copy(update={"database_timeout_seconds": 1})
    assert migrate(hasty, scripts=migrations(tmp_path, "op.execute('SELECT pg_sleep(2)')")) == "1"


def test_a_roles_own_timeouts_do_not_end_a_migration(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    database = make_url(empty.database_url or "").database
    with transaction(direct) as connection:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"ALTER DATABASE {database} SET {name} = '300ms'"))
    sleeps = ["op.execute('SELECT pg_sleep(1)')", "__import__('time').sleep(1)"]
    assert migrate(empty, scripts=migrations(tmp_path, *sleeps)) == "2"


def test_where_time_is_limited_the_server_ends_the_work(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        migrate(empty, scripts=migrations(tmp_path, MAKE, "op.execute('SELECT pg_sleep(30)')"), seconds=2)
    assert time.monotonic() - started < 25
    assert columns(direct) == ["id"], "what was whole before stays"
    with transaction(direct) as connection:
        running = connection.execute(text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%'"))
        assert running.scalar_one() == 1, "which is this question itself"


def test_a_migration_gives_way_to_requests_and_tries_again(
    empty: Settings, direct: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 1)
    monkeypatch.setattr(schema, "PAUSE_SECONDS", 0.5)
    scripts = migrations(tmp_path, MAKE, ADD)
    with transaction(direct) as connection:
        connection.execute(text("CREATE TABLE things (id int)"))
    (scripts / "versions" / "1.py").write_text((scripts / "versions" / "1.py").read_text().replace(MAKE, "pass"))
    with ThreadPoolExecutor(1) as threads:
        with reading(direct):
            migrating = threads.submit(migrate, empty, scripts=scripts)
            time.sleep(0.5)
            longest = 0.0
            for _ in range(20):
                started = time.monotonic()
                with reading(direct):
                    longest = max(longest, time.monotonic() - started)
                time.sleep(0.1)
            assert not migrating.done()
        assert migrating.result(timeout=60) == "2"
    assert longest < 3, "a request waited for no more than one attempt"
    assert columns(direct) == ["id", "name"]


def test_a_table_that_stays_in_use_is_unavailable(
    empty: Settings, direct: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_SECONDS", 1)
    scripts = migrations(tmp_path, MAKE)
    migrate(empty, scripts=scripts)
    (tmp_path / "more").mkdir()
    with reading(direct), pytest.raises(Unavailable):
        migrate(empty, scripts=migrations(tmp_path / "more", MAKE, ADD), seconds=2)
    assert columns(direct) == ["id"]


def test_whoever_waits_for_another_migration_gives_up_in_time(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = migrations(tmp_path, "op.execute('SELECT pg_sleep(3)')")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(migrate, empty, scripts=scripts)
        time.sleep(1)
        with pytest.raises(Unavailable, match="Another migration"):
            migrate(empty, scripts=scripts, seconds=0.5)
        assert first.result() == "1"


def test_the_code_of_before_leaves_a_newer_schema_alone(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    """As after a deployment that was rolled back."""
    newer, older = tmp_path / "newer", tmp_path / "older"
    newer.mkdir()
    older.mkdir()
    assert migrate(empty, scripts=migrations(newer, MAKE, ADD)) == "2"
    assert migrate(empty, scripts=migrations(older, MAKE)) == "2"
    assert columns(direct) == ["id", "name"]


def test_a_migration_that_fails_leaves_nothing_of_itself(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    failing = "op.execute('ALTER TABLE things ADD COLUMN a text'); op.execute('SELECT 1/0 FROM nowhere')"
    with pytest.raises(InternalError):
        migrate(empty, scripts=migrations(tmp_path, MAKE, failing))
    assert columns(direct) == ["id"]


KILLED = """
import sys
from pathlib import Path
from modulo.adapters.postgres.schema import migrate
from modulo.settings import Settings
migrate(Settings(database_url=sys.argv[1]), scripts=Path(sys.argv[2]))
"""


def test_what_a_killed_migration_did_is_undone_and_nobody_waits_for_it(
    empty: Settings, direct: Engine, tmp_path: Path
) -> None:
    """Also where the server is in the midst of a statement, and would notice only at its end."""
    for folder in ("killed", "next"):
        (tmp_path / folder).mkdir()
    scripts = migrations(tmp_path / "killed", MAKE, f"{ADD}; op.execute('SELECT pg_sleep(600)')")
    command = [sys.executable, "-c", KILLED, empty.database_url or "", str(scripts)]
    running = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'")
    with subprocess.Popen(command) as migrating:
        try:
            until(lambda: one_of(direct, running))
        finally:
            migrating.kill()
    until(lambda: not one_of(direct, running))
    assert columns(direct) == ["id"]
    assert migrate(empty, scripts=migrations(tmp_path / "next", MAKE, ADD)) == "2"
    assert columns(direct) == ["id", "name"]


def test_the_server_notices_that_a_machine_is_gone(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    """Which closes no connection: without it, one that waits within a transaction holds its locks for hours."""
    names = (
        "'client_connection_check_interval', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count'"
    )
    step = f'op.execute("CREATE TABLE kept AS SELECT name, setting FROM pg_settings WHERE name IN ({names})")'
    migrate(empty, scripts=migrations(tmp_path, step))
    with transaction(direct) as connection:
        found = {name: int(value) for name, value in connection.execute(text("SELECT name, setting FROM kept"))}
    assert found.pop("client_connection_check_interval") == 5_000
    assert len(found) == 3
    assert all(0 < value <= 30 for value in found.values())


def one_of(pool: Engine, statement: TextClause) -> int:
    with transaction(pool) as connection:
        return int(connection.execute(statement).scalar_one())


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_migrations_go_past_the_proxy(empty: Settings, tmp_path: Path) -> None:
    proxied = empty.model_copy(
        update={
            "database_url": f"postgresql+pg8000://modulo@127.0.0.1:{free_port()}/modulo",
            "database_owner_url": empty.database_url,
        }
    )
    assert migrate(proxied, scripts=migrations(tmp_path, MAKE)) == "1"


def test_an_index_is_made_while_others_write(empty: Settings, direct: Engine, tmp_path: Path) -> None:
    migrate(empty, scripts=migrations(tmp_path, MAKE))
    (tmp_path / "more").mkdir()
    scripts = migrations(tmp_path / "more", MAKE, "add_index('ix_things', 'things', ['id'])", "drop_index('ix_things')")
    written, inserted = threading.Event(), threading.Event()

    def write() -> None:
        with transaction(direct) as connection:
            connection.execute(text("INSERT INTO things VALUES (1)"))
            written.set()
            assert inserted.wait(60), "the migration, which waits for this transaction, held another writer up"

    with ThreadPoolExecutor(3) as threads:
        writing = threads.submit(write)
        written.wait(10)
        migrating = [threads.submit(migrate, empty, scripts=scripts) for _ in range(2)]
        time.sleep(0.5)
        with transaction(direct) as connection:
            connection.execute(text("INSERT INTO things VALUES (2)"))
        assert not any(one.done() for one in migrating)
        inserted.set()
        assert [one.result(timeout=60) for one in migrating] == ["3", "3"]
        writing.result()
