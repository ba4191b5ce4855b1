"""Which connections are made: TLS, loopback, IAM tokens and pools."""

import ssl
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Engine

from modulo.adapters.postgres import engine as postgres_engine
from modulo.adapters.postgres.engine import engine, engines, transaction
from modulo.adapters.postgres.schema import migrate
from modulo.domain.errors import Unavailable
from modulo.settings import Settings

LOCAL = "postgresql+pg8000://modulo:secret@127.0.0.1:5/modulo"
FAR = "postgresql://modulo@db.example.com:5432/modulo"


def arguments_of(pool: Engine) -> dict[str, Any]:
    """What a connection would be made with; none is made."""
    seen: dict[str, Any] = {}

    def stop(**parameters: Any) -> None:
        seen.update(parameters)
        raise OSError("stop here")

    with patch.object(postgres_engine, "WireConnection", stop), pytest.raises(Unavailable), transaction(pool):
        pass
    return seen


def authority() -> str:
    found = ssl.get_default_verify_paths().cafile
    path = Path(found) if found else None
    if path is None or not path.is_file():
        import certifi

        return certifi.where()
    return str(path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", ""])
def test_loopback_needs_no_tls(host: str) -> None:
    url = f"postgresql://modulo@{host}/modulo"
    assert arguments_of(engine(Settings(database_url=url), url))["ssl_context"] is False


HOSTS = [
    "db.example.com",
    "10.0.0.5",
    "[2001:db8::5]",
    "[::ffff:10.0.0.5]",
    "localhost.example.com",
    "0.0.0.0",
    "LOCALHOST",
]


@pytest.mark.parametrize(
    "mode", ["", "?sslmode=require", "?sslmode=prefer", "?sslmode=DISABLE", "?sslmode=disable&sslmode=x"]
)
@pytest.mark.parametrize("host", HOSTS)
def test_another_machine_needs_a_verified_one(host: str, mode: str) -> None:
    url = f"postgresql://modulo@{host}:5432/modulo{mode}"
    with pytest.raises(ValueError, match="DATABASE_CA_FILE"):
        engine(Settings(database_url=url), url)
    context = arguments_of(engine(Settings(database_url=url, database_ca_file=authority()), url))["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_reader_on_another_machine_needs_a_verified_one_too() -> None:
    with pytest.raises(ValueError, match="DATABASE_CA_FILE"):
        engines(Settings(database_url=LOCAL, database_reader_url=FAR))


@pytest.mark.parametrize("more", ["host=db.example.com", "unix_sock=/tmp/x", "ssl_context=x", "SSLMODE=disable"])
def test_a_parameter_of_a_url_leads_nowhere_else(more: str) -> None:
    url = f"{LOCAL}?{more}"
    with pytest.raises(ValueError, match=f"remove {more.partition('=')[0]}"):
        engine(Settings(database_url=url), url)


def test_migrations_of_another_machine_need_a_verified_one_too() -> None:
    with pytest.raises(ValueError, match="DATABASE_CA_FILE"):
        migrate(Settings(database_url=LOCAL, database_owner_url=FAR))


def test_plaintext_may_be_wished_for() -> None:
    for settings in (Settings(database_url=FAR), Settings(database_url=FAR, database_ca_file=authority())):
        seen = arguments_of(engine(settings, f"{FAR}?sslmode=disable"))
        assert seen["ssl_context"] is False
        assert "sslmode" not in seen


def test_tls_is_verified_with_one_context_for_all() -> None:
    settings = Settings(database_url=FAR, database_ca_file=authority())
    contexts = [arguments_of(engine(settings, url))["ssl_context"] for url in (FAR, LOCAL)]
    assert contexts[0] is contexts[1]
    assert (contexts[0].verify_mode, contexts[0].check_hostname) == (ssl.CERT_REQUIRED, True)


def test_tokens_never_travel_in_the_clear() -> None:
    address = LOCAL.replace(":secret", "")
    with pytest.raises(ValueError, match="DATABASE_CA_FILE"):
        engine(Settings(database_url=address, database_iam_auth=True), address)
    plain = f"{FAR}?sslmode=disable"
    with pytest.raises(ValueError, match="token must not travel"):
        engine(Settings(database_url=plain, database_iam_auth=True, database_ca_file=authority()), plain)


def test_a_url_with_a_password_needs_no_token() -> None:
    settings = Settings(database_url=FAR, database_ca_file=authority(), database_iam_auth=True)
    assert arguments_of(engine(settings, FAR.replace("modulo@", "modulo:secret@")))["password"] == "secret"


def test_each_connection_gets_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    settings = Settings(database_url=FAR, database_ca_file=authority(), database_iam_auth=True)
    token = arguments_of(engine(settings, FAR))["password"]
    assert token.startswith("db.example.com:5432/?Action=connect&DBUser=modulo")
    assert "X-Amz-Signature=" in token
    assert "eu-west-1" in token


def test_without_a_reader_there_is_one_pool() -> None:
    writer, reader = engines(Settings(database_url=LOCAL))
    assert writer is reader
    writer, reader = engines(Settings(database_url=LOCAL, database_reader_url=LOCAL))
    assert writer is reader


def test_a_reader_has_a_pool_of_its_own() -> None:
    other = LOCAL.replace(":5/", ":6/")
    writer, reader = engines(Settings(database_url=LOCAL, database_reader_url=other))
    assert (writer.url.port, reader.url.port) == (5, 6)


def test_the_pool_is_as_large_as_set_and_leaves_the_isolation_level_alone() -> None:
    settings = Settings(database_url=LOCAL, sqlalchemy_pool_size=3, sqlalchemy_max_overflow=2)
    pool = engine(settings, LOCAL)
    assert pool.pool.size() == 3
    assert (pool.pool._max_overflow, pool.pool._recycle, pool.pool._pre_ping) == (2, 600, False)
    assert pool.dialect._on_connect_isolation_level is None
    assert arguments_of(pool)["timeout"] == 10


def test_no_error_shows_parameters_or_passwords() -> None:
    pool = engine(Settings(database_url=LOCAL), LOCAL)
    assert pool.hide_parameters
    with pytest.raises(Unavailable) as caught, transaction(pool):
        pass
    assert "secret" not in f"{caught.value} {caught.value.extra}"
