"""Logging in with a password that is rotated. A server that refuses is played: the embedded one trusts its clients."""

from typing import Any

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import create_engine

from modulo.adapters.aws import stored_secret
from modulo.adapters.postgres import stored_password
from modulo.adapters.postgres.engine import engine
from modulo.adapters.postgres.stored_password import use_stored_password
from modulo.settings import Settings

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:modulo/database-AbCdEf"


class Rotated:
    """A secret whose value was read before its rotation."""

    def __init__(self, known: str, now: str | None) -> None:
        self.known, self.now = known, now
        self.renewals = 0

    def value(self) -> str:
        return self.known

    def renewed(self, refused: str) -> str | None:
        assert refused == self.known
        self.renewals += 1
        self.known = self.now or self.known
        return self.now


class Server:
    """Opens connections to whoever knows the password."""

    def __init__(self, refusal: dict[str, str]) -> None:
        self.asked: list[str] = []
        self._refusal = refusal

    def __call__(self, host: str, *, password: str) -> str:
        self.asked.append(password)
        if password != "new":
            raise DatabaseError(self._refusal)
        return f"connected to {host}"


WRONG = {"S": "FATAL", "C": "28P01", "M": "password authentication failed"}


def log_in(monkeypatch: pytest.MonkeyPatch, server: Server, secret: Rotated) -> Any:
    monkeypatch.setattr(stored_password, "WireConnection", server)
    pool = create_engine("postgresql+pg8000://modulo@db/modulo")
    use_stored_password(pool, secret)
    (listener,) = pool.dialect.dispatch.do_connect
    return listener(pool.dialect, None, ["db"], {})


def test_a_password_that_was_rotated_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server, secret = Server(WRONG), Rotated("old", "new")
    assert log_in(monkeypatch, server, secret) == "connected to db"
    assert (server.asked, secret.renewals) == (["old", "new"], 1)
    assert log_in(monkeypatch, server, secret) == "connected to db"
    assert secret.renewals == 1, "the next connection knows it"


def test_a_password_that_is_wrong_and_unchanged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    server, secret = Server(WRONG), Rotated("old", None)
    with pytest.raises(DatabaseError):
        log_in(monkeypatch, server, secret)
    assert (server.asked, secret.renewals) == (["old"], 1)


@pytest.mark.parametrize("other", [{"C": "53300"}, {}])
def test_another_failure_reads_nothing_again(monkeypatch: pytest.MonkeyPatch, other: dict[str, str]) -> None:
    secret = Rotated("old", "new")
    with pytest.raises(DatabaseError):
        log_in(monkeypatch, Server(other), secret)
    assert secret.renewals == 0


@pytest.mark.parametrize(("password", "listeners"), [("", 2), (":s3cret", 1)])
def test_a_pool_asks_for_the_secret_where_its_address_has_no_password(
    monkeypatch: pytest.MonkeyPatch, password: str, listeners: int
) -> None:
    monkeypatch.setattr(stored_secret, "StoredSecret", lambda arn: {ARN: Rotated("old", "new")}[arn])
    address = f"postgresql+pg8000://modulo{password}@127.0.0.1/modulo"
    pool = engine(Settings(database_url=address, database_secret=ARN), address)
    assert len(pool.dialect.dispatch.do_connect) == listeners
