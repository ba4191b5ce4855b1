"""Round trips to Postgres, and connections that failed statements leave usable."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import ARRAY, Engine, Uuid, bindparam, cast, select, text

from modulo.adapters.postgres import engine as postgres_engine
from modulo.adapters.postgres import pipelined_connection as postgres_wire
from modulo.adapters.postgres.engine import engine, statements, transaction
from modulo.adapters.postgres.pipelined_connection import WireConnection
from modulo.domain.errors import InvalidRequest, ModuloError, Unavailable
from tests.metadata_world import settings_of


@pytest.fixture(params=[False, True], ids=["unprepared", "prepared"])
def prepares(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def pool(postgres: dict[str, str], prepares: bool) -> Iterator[Engine]:
    settings = settings_of(postgres, sqlalchemy_pool_size=1, sqlalchemy_max_overflow=0, database_prepares=prepares)
    made = engine(settings, settings.database_url)
    with transaction(made) as connection:  # the first one logs in
        connection.execute(text("SELECT 1"))
    yield made
    made.dispose()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for every time an answer was waited for."""
    waits: list[str] = []
    wait = WireConnection.handle_messages

    def counted(self: WireConnection, context: object) -> None:
        waits.append(getattr(context, "statement", ""))
        wait(self, context)

    monkeypatch.setattr(WireConnection, "handle_messages", counted)
    return waits


def backend(connection) -> int:
    return connection.execute(text("SELECT pg_backend_pid() + :zero"), {"zero": 0}).scalar_one()


def test_a_read_is_one_round_trip(pool: Engine, trips: list[str]) -> None:
    with statements(pool) as connection:
        assert connection.execute(text("SELECT :a || 'b'"), {"a": "a"}).scalar_one() == "ab"
    assert len(trips) == 1


def test_a_transaction_is_a_round_trip_a_statement_and_one_to_commit(pool: Engine, trips: list[str]) -> None:
    with transaction(pool) as connection:
        for number in range(3):
            assert connection.execute(text("SELECT 1 + :n"), {"n": number}).scalar_one() == number + 1
    assert len(trips) == 4


def test_a_transaction_holds_its_statements_together(pool: Engine) -> None:
    with transaction(pool) as connection:
        assert connection.execute(text("SELECT txid_current() + :n"), {"n": 0}).scalar_one() == (
            connection.execute(text("SELECT txid_current() + :n"), {"n": 0}).scalar_one()
        )
    with statements(pool) as connection:
        assert connection.execute(text("SELECT txid_current() + :n"), {"n": 0}).scalar_one() != (
            connection.execute(text("SELECT txid_current() + :n"), {"n": 0}).scalar_one()
        )


def test_what_fails_is_rolled_back(pool: Engine) -> None:
    table = f"t_{uuid4().hex}"

    def fail() -> None:
        with transaction(pool) as connection:
            connection.execute(text(f"CREATE TABLE {table} (id int)"))
            connection.execute(text(f"INSERT INTO {table} VALUES (:id)"), {"id": 1})
            connection.execute(text("SELECT 1 / :zero"), {"zero": 0})

    with pytest.raises(ModuloError):
        fail()
    with statements(pool) as connection:
        assert connection.execute(text("SELECT to_regclass(:name)"), {"name": table}).scalar_one() is None


@pytest.mark.parametrize("values", [[], [None], [uuid4(), None, uuid4()]])
def test_nulls_and_arrays_arrive(pool: Engine, values: list[object]) -> None:
    with statements(pool) as connection:
        given = cast(bindparam("values", values), ARRAY(Uuid()))
        assert connection.execute(select(given)).scalar_one() == values
        assert connection.execute(text("SELECT CAST(:n AS text) IS NULL"), {"n": None}).scalar_one() is True
        assert connection.execute(text("SELECT 1 WHERE 1 = :n"), {"n": 2}).all() == []


@pytest.mark.parametrize("opened", [statements, transaction])
def test_a_text_that_cannot_be_encoded_spoils_nothing(pool: Engine, opened) -> None:
    with pytest.raises(InvalidRequest), opened(pool) as connection:
        connection.execute(text("SELECT 'wrong' || :text"), {"text": "\ud800"})
    with opened(pool) as connection:
        assert connection.execute(text("SELECT 'right' || :text"), {"text": ""}).scalar_one() == "right"


@pytest.mark.parametrize("opened", [statements, transaction])
def test_a_refused_statement_leaves_the_connection_usable(pool: Engine, opened) -> None:
    with opened(pool) as connection:
        before = backend(connection)
    with pytest.raises(ModuloError), opened(pool) as connection:
        connection.execute(text("SELECT nothing FROM nowhere WHERE :n = 1"), {"n": 1})
    with opened(pool) as connection:
        assert backend(connection) == before


def test_a_read_after_a_transaction_and_the_reverse(pool: Engine) -> None:
    for opened in (statements, transaction, statements):
        with opened(pool) as connection:
            assert backend(connection) > 0
    assert pool.pool.checkedin() == 1


class TestLostConnections:
    @pytest.mark.parametrize("opened", [statements, transaction])
    def test_one_that_the_server_ended_is_replaced_without_a_question(
        self, pool: Engine, postgres: dict[str, str], opened, trips: list[str]
    ) -> None:
        with statements(pool) as connection:
            lost = backend(connection)
        other = engine(settings_of(postgres), postgres["DATABASE_URL"])
        with transaction(other) as connection:
            connection.execute(text("SELECT pg_terminate_backend(:id, 5000)"), {"id": lost})
        other.dispose()
        with opened(pool) as connection:
            assert backend(connection) != lost
        assert ";" not in trips

    @pytest.mark.parametrize("opened", [statements, transaction])
    def test_one_that_the_server_ends_while_it_is_idle_is_replaced(self, pool: Engine, opened) -> None:
        with transaction(pool) as connection:
            lost = backend(connection)
            connection.execute(text("SET idle_session_timeout = 50"))
        time.sleep(0.5)
        with opened(pool) as connection:
            assert backend(connection) != lost

    def test_one_long_unused_is_asked_first(
        self, pool: Engine, trips: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres_engine, "PING_AFTER_SECONDS", -1.0)
        with statements(pool) as connection:
            assert backend(connection) > 0
        assert trips[0] == ";"
        assert len(trips) == 2

    def test_one_that_is_gone_without_a_word_is_replaced(self, pool: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        with statements(pool) as connection:
            lost = backend(connection)
        monkeypatch.setattr(postgres_engine, "PING_AFTER_SECONDS", -1.0)

        monkeypatch.setattr(WireConnection, "answers", lambda _: False)
        with statements(pool) as connection:
            assert backend(connection) != lost

    def test_one_that_breaks_in_use_is_unavailable_once(self, pool: Engine) -> None:
        end = text("SELECT pg_terminate_backend(pg_backend_pid() + :n)")
        with pytest.raises(Unavailable), transaction(pool) as connection:
            connection.execute(end, {"n": 0})
        with statements(pool) as connection:
            assert backend(connection) > 0


@pytest.mark.parametrize("prepares", [True], indirect=True, ids=["prepared"])
class TestPreparedStatements:
    @staticmethod
    def known(connection) -> dict[str, int]:
        """What the server has prepared, and how often it was planned for any values."""
        listed = text("SELECT statement, generic_plans FROM pg_prepared_statements WHERE statement NOT LIKE :own")
        return {row.statement: row.generic_plans for row in connection.execute(listed, {"own": "%pg_prepared%"})}

    def test_a_statement_is_prepared_once(self, pool: Engine) -> None:
        for opened in (statements, transaction) * 4:
            with opened(pool) as connection:
                assert connection.execute(text("SELECT 1 + :n"), {"n": 1}).scalar_one() == 2
        with statements(pool) as connection:
            found = self.known(connection)
        assert found.keys() == {"SELECT 1 + $1"}
        assert found["SELECT 1 + $1"] > 0

    def test_one_that_fails_when_it_runs_stays_prepared(self, pool: Engine) -> None:
        divide = text("SELECT 1 / :n")
        for opened in (transaction, statements):
            with pytest.raises(ModuloError), opened(pool) as connection:
                connection.execute(divide, {"n": 0})
        with statements(pool) as connection:
            assert connection.execute(divide, {"n": 1}).scalar_one() == 1
            assert self.known(connection).keys() == {"SELECT 1 / $1"}

    def test_one_that_cannot_be_parsed_is_sent_again(self, pool: Engine) -> None:
        table = f"t_{uuid4().hex}"
        read = text(f"SELECT id FROM {table} WHERE id = :id")
        with pytest.raises(ModuloError), statements(pool) as connection:
            connection.execute(read, {"id": 1})
        with transaction(pool) as connection:
            connection.execute(text(f"CREATE TEMPORARY TABLE {table} AS SELECT 1 AS id"))
            assert connection.execute(read, {"id": 1}).scalar_one() == 1

    def test_a_schema_that_changed_costs_one_answer(self, pool: Engine) -> None:
        table = f"t_{uuid4().hex}"
        read = text(f"SELECT id FROM {table} WHERE :n = 1")
        with transaction(pool) as connection:
            connection.execute(text(f"CREATE TABLE {table} AS SELECT 1 AS id"))
            assert connection.execute(read, {"n": 1}).scalar_one() == 1
            connection.execute(text(f"ALTER TABLE {table} ALTER id TYPE text"))
        with pytest.raises(Unavailable), statements(pool) as connection:
            connection.execute(read, {"n": 1})
        with transaction(pool) as connection:
            assert connection.execute(read, {"n": 1}).scalar_one() == "1"
            connection.execute(text(f"DROP TABLE {table}"))

    def test_what_a_pooler_lost_costs_one_answer(self, pool: Engine) -> None:
        with transaction(pool) as connection:
            assert backend(connection) > 0
            connection.execute(text("DEALLOCATE ALL"))
        with pytest.raises(Unavailable), statements(pool) as connection:
            backend(connection)
        with statements(pool) as connection:
            assert backend(connection) > 0

    def test_no_connection_keeps_more_than_its_share(self, pool: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres_wire, "_PREPARED", 3)
        with statements(pool) as connection:
            for number in range(6):
                assert connection.execute(text(f"SELECT {number} + :n"), {"n": 1}).scalar_one() == number + 1
            assert len(self.known(connection)) == 3
