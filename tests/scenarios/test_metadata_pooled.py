"""The metadata behind a transaction pooler, which stands in for RDS Proxy: pgbouncer, where it is installed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from modulo.adapters.postgres.engine import engine, engines, transaction
from modulo.adapters.postgres.pools import Pools
from modulo.adapters.postgres.schema import migrate
from modulo.cli.stack.pgbouncer import SERVER_CONNECTIONS
from modulo.domain.files.file import Stage
from modulo.settings import Settings
from tests.metadata_world import QUOTAS, Metadata, World, settings_of

CLIENTS, ROUNDS = 30, 4
CROWD = 200


@pytest.fixture(scope="module")
def pooled(pooler: dict[str, str]) -> Settings:
    """One connection for each client, as in a function; all through the pooler."""
    settings = settings_of(pooler, sqlalchemy_pool_size=1, database_timeout_seconds=60)
    migrate(settings)
    return settings


@pytest.mark.parametrize(("clients", "rounds"), [(CLIENTS, ROUNDS), (CROWD, 1)])
def test_many_clients_share_few_connections_and_never_each_others_rows(
    pooled: Settings, clients: int, rounds: int
) -> None:
    def client(number: int) -> int:
        writer, reader = engines(pooled)
        metadata = Metadata(Pools(writer, reader))
        try:
            world = World(metadata)
            owner = world.user(f"client {number}")
            collection = world.collection(owner, f"of {number}")
            for turn in range(rounds):
                file = world.ready(owner, collection, f"{number}-{turn}.pdf", 10)
                assert metadata.collections.get_collection(owner, collection.id).files == {Stage.ready: turn + 1}
                assert metadata.files.get_file(owner, collection.id, file.id).name == f"{number}-{turn}.pdf"
                members = metadata.members.list_members(owner, collection.id, after=None, limit=100)
                assert [member.name for member in members.items] == [f"client {number}"]
                assert metadata.grants.grant(owner, collection.id).space.tenant_id == world.tenant_id
            return metadata.usage.get_usage(owner, period=collection.created_at.date(), quotas=QUOTAS).storage_bytes
        finally:
            writer.dispose()

    with ThreadPoolExecutor(clients) as threads:
        assert list(threads.map(client, range(clients))) == [10 * rounds] * clients


def test_a_client_holds_no_connection_between_transactions(pooled: Settings) -> None:
    pools = [engine(pooled, pooled.database_url) for _ in range(CLIENTS)]

    def backends(number: int) -> set[int]:
        seen = set()
        for _ in range(ROUNDS):
            with transaction(pools[number]) as connection:
                seen.add(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        return seen

    with ThreadPoolExecutor(CLIENTS) as threads:
        seen = set().union(*threads.map(backends, range(CLIENTS)))
    assert 1 <= len(seen) <= SERVER_CONNECTIONS
    for pool in pools:
        pool.dispose()
