"""The metadata behind a transaction pooler, which stands in for RDS Proxy: pgbouncer, where it is installed."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from modulo.adapters.postgres_engine import engine, engines, transaction
from modulo.adapters.postgres_metadata import PostgresMetadata
from modulo.adapters.postgres_schema import migrate
from modulo.domain.file import Stage
from modulo.settings import Settings
from tests.contracts.metadata_world import QUOTAS, World, settings_of

CLIENTS, ROUNDS, CONNECTIONS = 30, 4, 4
CROWD = 200
ABSENT = "pgbouncer is not installed (Debian: apt-get install pgbouncer): nothing is proved about transaction poolers"
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={username} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 1000
unix_socket_dir =
"""


def pgbouncer() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    return found


@pytest.fixture(scope="module")
def pooled(postgres: dict[str, str]) -> Iterator[Settings]:
    """One connection for each client, as in a function; all through the pooler."""
    program, url = pgbouncer(), make_url(postgres["DATABASE_URL"])
    migrate(settings_of(postgres))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = free.getsockname()[1]
    directory = Path(tempfile.mkdtemp(prefix="modulo-pgbouncer-"))
    configuration = directory / "pgbouncer.ini"
    given = {name: getattr(url, name) for name in ("host", "port", "username", "password")}
    configuration.write_text(CONFIGURATION.format(**given, listen=listen, connections=CONNECTIONS))
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, "-q", *account, str(configuration)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", listen)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.05)
        address = url.set(host="127.0.0.1", port=listen).render_as_string(hide_password=False)
        yield settings_of({"DATABASE_URL": address}, sqlalchemy_pool_size=1, database_timeout_seconds=60)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(directory)


@pytest.mark.parametrize(("clients", "rounds"), [(CLIENTS, ROUNDS), (CROWD, 1)])
def test_many_clients_share_few_connections_and_never_each_others_rows(
    pooled: Settings, clients: int, rounds: int
) -> None:
    def client(number: int) -> int:
        writer, reader = engines(pooled)
        metadata = PostgresMetadata(writer, reader)
        try:
            world = World(metadata)
            owner = world.user(f"client {number}")
            collection = world.collection(owner, f"of {number}")
            for turn in range(rounds):
                file = world.ready(owner, collection, f"{number}-{turn}.pdf", 10)
                assert metadata.get_collection(owner, collection.id).files == {Stage.ready: turn + 1}
                assert metadata.get_file(owner, collection.id, file.id).name == f"{number}-{turn}.pdf"
                assert [member.name for member in metadata.list_members(owner, collection.id)] == [f"client {number}"]
                assert metadata.grant(owner, collection.id).space.tenant_id == world.tenant_id
            return metadata.usage(owner, period=collection.created_at.date(), quotas=QUOTAS).storage_bytes
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
    assert 1 <= len(seen) <= CONNECTIONS
    for pool in pools:
        pool.dispose()
