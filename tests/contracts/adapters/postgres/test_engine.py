"""Connections that fail, pools that are exhausted, and texts that cannot be stored."""

import threading
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text

from modulo.adapters.postgres.engine import engine, engines, transaction
from modulo.adapters.postgres.pools import Pools
from modulo.cli.stack.process import free_port
from modulo.domain.collections.collection import Collection
from modulo.domain.errors import Conflict, InvalidRequest, Unavailable
from modulo.settings import Settings
from tests.contracts.adapters.postgres.method_calls import calls
from tests.metadata_world import (
    NOW,
    QUOTAS,
    Metadata,
    World,
)


class TestFailures:
    def test_a_server_that_is_down_is_unavailable_to_every_method(self, stored: Metadata) -> None:
        world = World(stored)
        every = calls(world)
        address = f"postgresql+pg8000://modulo@127.0.0.1:{free_port()}/modulo"
        world.metadata = down = Metadata(Pools(*engines(Settings(database_url=address))))
        for name, call in every.items():
            of_role = getattr(call.func, "__self__", None) is not world
            method = attrgetter(name)(down) if of_role else call.func
            with pytest.raises(Unavailable) as caught:
                method(*call.args, **call.keywords)
            assert caught.value.extra == {"dependency": "postgres"}, name
            assert "127.0.0.1" not in str(caught.value)

    def test_an_exhausted_pool_is_unavailable(self, settings: Settings) -> None:
        small = settings.model_copy(update={"sqlalchemy_pool_size": 1, "database_timeout_seconds": 1})
        pool = engine(small, small.database_url)
        with transaction(pool), pytest.raises(Unavailable), transaction(pool):
            pass
        pool.dispose()

    def test_a_statement_cancelled_by_the_server_is_unavailable(self, settings: Settings, pool: Engine) -> None:
        def wait(seconds: int) -> None:
            with transaction(pool) as connection:
                connection.execute(text("SET LOCAL statement_timeout = 50"))
                connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})

        wait(0)
        with pytest.raises(Unavailable):
            wait(5)

    def test_a_server_that_does_not_answer_is_unavailable(self, settings: Settings) -> None:
        hasty = settings.model_copy(update={"database_timeout_seconds": 1})
        pool = engine(hasty, hasty.database_url)
        with pytest.raises(Unavailable), transaction(pool) as connection:
            connection.execute(text("SELECT pg_sleep(5)"))
        with transaction(pool) as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
        pool.dispose()

    @pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"database": "nowhere"}, {"username": "nobody"}])
    def test_a_refused_login_is_unavailable(self, settings: Settings, wrong: dict[str, Any]) -> None:
        url = make_url(settings.database_url).set(**wrong)
        pool = engine(settings, url.render_as_string(hide_password=False))
        with pytest.raises(Unavailable) as caught, transaction(pool):
            pass
        assert "wrong" not in caught.value.detail

    def test_a_lost_connection_is_replaced(self, stored: Metadata, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)
        with transaction(pool) as connection:
            process = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with transaction(stored.pools.writer) as connection:
            connection.execute(text("SELECT pg_terminate_backend(:id, 5000)"), {"id": process})
        with transaction(pool) as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != process
        pool.dispose()

    def test_a_writer_that_became_a_reader_is_left(self, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)

        def process(wanted: str) -> object:
            with transaction(pool) as connection:
                found = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                connection.execute(text(wanted))
                connection.execute(text("DELETE FROM periods WHERE period < '1800-01-01'"))
            return found

        before = process("SELECT 1")
        assert process("SELECT 1") == before
        with pytest.raises(Unavailable):
            process("SET TRANSACTION READ ONLY")
        assert process("SELECT 1") != before
        pool.dispose()

    def test_those_who_wait_for_each_other_may_try_again(self, stored: Metadata, pool: Engine) -> None:
        world = World(stored)
        owner = world.user()
        first, second = world.collection(owner, "first"), world.collection(owner, "second")
        both = threading.Barrier(2)

        def lock(mine: Collection, theirs: Collection) -> str:
            try:
                with transaction(pool) as connection:
                    for place in (mine, theirs):
                        statement = "UPDATE collections SET version = version + 1 WHERE tenant_id = :t AND id = :id"
                        connection.execute(text(statement), {"t": world.tenant_id, "id": place.id})
                        if place is mine:
                            both.wait(timeout=60)
            except Unavailable:
                return "unavailable"
            return "done"

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(lock, (first, second), (second, first))) == ["done", "unavailable"]

    def test_texts_that_cannot_be_stored_are_refused(self, stored: Metadata) -> None:
        world = World(stored)
        owner = world.user()
        collection = world.collection(owner)
        for name in ("nul \0 byte", "unpaired \ud800"):
            with pytest.raises(InvalidRequest):
                world.collection(owner, name)
            with pytest.raises(InvalidRequest):
                world.file(owner, collection, name)
            with pytest.raises(InvalidRequest):
                stored.collections.list_collections(owner, after=None, limit=9, name=name)

    def test_a_text_that_the_driver_chokes_on_does_not_shift_answers(self, settings: Settings) -> None:
        pool = engine(settings.model_copy(update={"sqlalchemy_pool_size": 1}), settings.database_url)

        def echo(given: str) -> object:
            with transaction(pool) as connection:
                return connection.execute(text("SELECT CAST(:given AS text)"), {"given": given}).scalar_one()

        assert echo("mine") == "mine"
        with pytest.raises(InvalidRequest):
            echo("\ud800")
        assert [echo(given) for given in ("one", "two", "three")] == ["one", "two", "three"]
        pool.dispose()

    def test_a_number_that_is_too_large_is_refused(self, stored: Metadata) -> None:
        world = World(stored)
        owner = world.user()
        collection = world.collection(owner)
        with pytest.raises(InvalidRequest):
            stored.uploads.reserve_file(
                owner, collection.id, world.upload("x", 2**64), quotas=QUOTAS.model_copy(update={"files": 9}), now=NOW
            )

    def test_two_names_that_change_places_do_not_hang(self, stored: Metadata) -> None:
        world = World(stored)
        owner = world.user()
        pair = [world.collection(owner, name) for name in ("left", "right")]

        def rename(collection: Collection, name: str) -> str:
            try:
                stored.collections.update_collection(owner, collection.id, name=name, chunking=None, now=NOW)
            except (Conflict, Unavailable) as error:
                return type(error).__name__
            return "done"

        with ThreadPoolExecutor(2) as threads:
            assert "done" not in set(threads.map(rename, pair, ("right", "left")))
