"""The stack's stand-in for RDS Proxy: what it lends, to whom, and what it says where it is not installed."""

import pytest
from sqlalchemy import make_url, text

from modulo.adapters.postgres.engine import engine, transaction
from modulo.cli.stack import StackError
from modulo.cli.stack.pgbouncer import SERVER_CONNECTIONS, binary
from modulo.domain.errors import ModuloError
from tests.metadata_world import settings_of

CLIENTS = 3 * SERVER_CONNECTIONS


def test_clients_that_stay_share_few_server_connections(pooler: dict[str, str]) -> None:
    settings = settings_of(pooler, sqlalchemy_pool_size=1)
    clients = [engine(settings, settings.database_url) for _ in range(CLIENTS)]
    backends = set()
    for client in clients:
        with transaction(client) as connection:
            backends.add(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    assert 1 <= len(backends) <= SERVER_CONNECTIONS
    for client in clients:
        client.dispose()


def test_it_asks_for_the_password(pooler: dict[str, str]) -> None:
    wrong = make_url(pooler["DATABASE_URL"]).set(password="guessed").render_as_string(hide_password=False)
    settings = settings_of({"DATABASE_URL": wrong}, sqlalchemy_pool_size=1)
    client = engine(settings, settings.database_url)
    with pytest.raises(ModuloError), transaction(client):
        pass
    client.dispose()


def test_its_absence_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modulo.cli.stack.pgbouncer.shutil.which", lambda *_, **__: None)
    with pytest.raises(StackError, match="apt-get install pgbouncer"):
        binary()
