"""The roles on Postgres: each has exactly its port's methods, and each method takes what the port says."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text

from modulo.adapters.postgres.aliases import raise_version
from modulo.adapters.postgres.engine import engines
from modulo.adapters.postgres.pools import Pooled, Pools
from modulo.adapters.postgres.schema import migrate
from modulo.cli.stack.process import free_port
from modulo.domain.collections.collection import Collection
from modulo.domain.errors import NotFound, Unavailable
from modulo.domain.files.file import Stage
from modulo.domain.tenancy.identity import Principal, Role, api_key_hash
from modulo.settings import Settings
from tests.conftest import Environment
from tests.contracts.adapters.postgres.empty_database import copied_database, empty_database
from tests.metadata_world import (
    NOW,
    Metadata,
    World,
    key_of,
    postgres_metadata,
    roles,
    settings_of,
)


def parameters(method: Callable[..., object]) -> list[tuple[str, object, object]]:
    """Names, kinds and defaults, without the connection that a decorator adds."""
    found = inspect.signature(method).parameters.values()
    return [(one.name, one.kind, one.default) for one in found if one.name != "connection"]


def methods(kind: type) -> dict[str, Callable[..., object]]:
    return {name: found for name, found in vars(kind).items() if not name.startswith("_") and callable(found)}


@pytest.fixture(scope="module")
def metadata(postgres: dict[str, str]):
    with postgres_metadata(settings_of(postgres)) as metadata:
        yield metadata


@pytest.mark.parametrize("role", sorted(roles().keys() - {"database"}))
def test_a_role_has_its_ports_methods(metadata: Metadata, role: str) -> None:
    adapter = type(getattr(metadata, role))
    assert adapter.__bases__ == (Pooled,)
    of_port, of_adapter = methods(roles()[role]), methods(adapter)
    assert of_adapter.keys() == of_port.keys()
    for name, method in of_port.items():
        assert parameters(of_adapter[name]) == parameters(method), name


def test_who_waits_for_another_in_a_circle_gets_through(metadata: Metadata) -> None:
    world = World(metadata)
    owner = world.user()
    first, second = world.collection(owner, "first"), world.collection(owner, "second")
    both = Barrier(2)

    def raise_versions(mine: Collection, other: Collection) -> int:
        tries = 0

        def work(connection: Connection) -> int:
            nonlocal tries
            tries += 1
            for place in (mine, other):
                raise_version(connection, world.tenant_id, place.id, NOW)
                if tries == 1 and place is mine:
                    both.wait(timeout=60)
            return tries

        return metadata.pools.transaction(work)

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(raise_versions, (first, second), (second, first))) == [1, 2]
    for place in (first, second):
        assert metadata.collections.get_collection(owner, place.id).version == place.version + 2


def test_what_fails_otherwise_is_not_done_again(metadata: Metadata) -> None:
    tries = []

    def work(_connection: Connection) -> None:
        tries.append(1)
        raise Unavailable(dependency="postgres")

    with pytest.raises(Unavailable):
        metadata.pools.transaction(work)
    assert len(tries) == 1


def test_a_backup_writes_no_row_twice_where_it_is_ended_for_a_deadlock(metadata: Metadata) -> None:
    World(metadata).user()
    written = []

    def write(table: str, lines: Sequence[str]) -> None:
        written.append((table, *lines))
        ended = text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")
        metadata.pools.transaction_once(lambda connection: connection.execute(ended))

    with pytest.raises(Unavailable):
        metadata.backups.read_rows(None, write)
    assert len(written) == 1


class TestReader:
    """A reader that never catches up: an empty database that answers in the reader's place."""

    @pytest.fixture
    def world(self, postgres: Environment, settings: Settings) -> Iterator[World]:
        with empty_database(postgres) as behind:
            migrate(behind)
            apart = settings.model_copy(update={"database_reader_url": behind.database_url})
            with postgres_metadata(apart) as metadata:
                yield World(metadata)

    def test_what_was_just_made_is_there(self, world: World) -> None:
        store, owner = world.metadata, world.user()
        collection = world.collection(owner)
        file = world.ready(owner, collection)
        key = key_of(owner)
        store.identities.add_api_key(key, secret_hash=api_key_hash("just made"))
        assert store.identities.principal_of(api_key_hash("just made"), now=NOW) is not None
        assert store.grants.grant(owner, collection.id).version == 2
        assert store.collections.get_collection(owner, collection.id).files == {Stage.ready: 1}
        assert store.files.get_file(owner, collection.id, file.id) == file
        assert store.files.list_files(owner, collection.id, after=None, limit=9, stage=None).items == (file,)
        assert len(store.members.list_members(owner, collection.id, after=None, limit=100).items) == 1
        assert list(world.live(owner, collection, file.id)) == [file.id]

    def test_reads_are_the_readers(self, world: World) -> None:
        owner = world.user()
        world.collection(owner)
        assert world.metadata.collections.list_collections(owner, after=None, limit=9, name=None).items == ()
        assert world.usage(owner).collections == 0

    def test_what_neither_knows_is_not_found(self, world: World) -> None:
        nobody = Principal(uuid4(), uuid4(), frozenset())
        with pytest.raises(NotFound):
            world.metadata.collections.get_collection(nobody, uuid4())
        assert world.metadata.identities.principal_of(api_key_hash("unknown"), now=NOW) is None

    def test_a_ping_asks_both(self, world: World, settings: Settings) -> None:
        world.metadata.database.ping()
        broken = settings.model_copy(update={"database_reader_url": f"postgresql://x@127.0.0.1:{free_port()}/x"})
        writer, reader = engines(broken)
        with pytest.raises(Unavailable):
            Pools(writer, reader).ping()
        writer.dispose()


class TestStaleReader:
    """A reader that holds what was there before, and none of the changes since."""

    @pytest.fixture
    def stale(self, postgres: Environment) -> Iterator[tuple[World, Principal, Principal, Collection]]:
        """The world with an owner, a member and a collection, all of which the reader knows."""
        with empty_database(postgres) as now:
            migrate(now)
            with postgres_metadata(now) as metadata:
                before = World(metadata)
                owner = before.user()
                collection = before.collection(owner)
                before.ready(owner, collection)
                member = before.member(owner, collection, Role.viewer)
            with copied_database(postgres, now) as behind:
                apart = now.model_copy(update={"database_reader_url": behind.database_url})
                with postgres_metadata(apart) as metadata:
                    yield World(metadata, owner.tenant_id), owner, member, collection

    def test_no_cached_result_is_released_to_a_member_who_was_removed(
        self, stale: tuple[World, Principal, Principal, Collection]
    ) -> None:
        world, owner, member, collection = stale
        assert world.metadata.grants.grant(member, collection.id).version == 2
        world.metadata.members.remove_member(owner, collection.id, member.user_id)
        assert world.metadata.collections.get_collection(member, collection.id)  # stale, for as long as the reader lags
        with pytest.raises(NotFound):
            world.metadata.grants.grant(member, collection.id)

    def test_no_cached_result_is_released_that_was_found_before_a_change(
        self, stale: tuple[World, Principal, Principal, Collection]
    ) -> None:
        world, owner, _, collection = stale
        before = world.metadata.grants.grant(owner, collection.id)
        world.ready(owner, collection, name="another.txt")
        assert world.metadata.grants.grant(owner, collection.id).version > before.version
