"""Logging in with a password that is rotated."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import Engine, make_url, text

from modulo.adapters.aws import stored_secret
from modulo.adapters.postgres.engine import engine, transaction
from modulo.adapters.postgres.pipelined_connection import WireConnection
from modulo.domain.errors import Unavailable
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


@pytest.fixture
def role(pool: Engine) -> Iterator[str]:
    """A role that logs in with a password, whatever the server asks others for."""
    name = f"rotated_{uuid4().hex[:8]}"
    with transaction(pool) as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'new'"))
    yield name
    with transaction(pool) as connection:
        connection.execute(text(f"DROP ROLE {name}"))


def one(pool: Engine) -> int:
    with transaction(pool) as connection:
        return int(connection.execute(text("SELECT 1")).scalar_one())


def logging_in(settings: Settings, monkeypatch: pytest.MonkeyPatch, role: str, secret: Rotated) -> Engine:
    """A pool of that role; the embedded server may trust its clients, so a wrong password is refused here."""
    opened = WireConnection.__init__

    def checked(self: WireConnection, *arguments: object, **named: object) -> None:
        if named.get("password") != "new":
            raise DatabaseError({"S": "FATAL", "C": "28P01", "M": "password authentication failed"})
        opened(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(WireConnection, "__init__", checked)
    monkeypatch.setattr(stored_secret, "StoredSecret", lambda arn: {ARN: secret}[arn])
    url = make_url(settings.address("database_url")).set(username=role, password=None)
    return engine(settings.model_copy(update={"database_secret": ARN}), url)


def test_a_password_that_was_rotated_is_read_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    secret = Rotated("old", "new")
    pool = logging_in(settings, monkeypatch, role, secret)
    assert (one(pool), one(pool), secret.renewals) == (1, 1, 1)
    pool.dispose()
    assert (one(pool), secret.renewals) == (1, 1), "the next connection knows it"
    pool.dispose()


def test_a_password_that_is_wrong_and_unchanged_is_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    secret = Rotated("old", None)
    pool = logging_in(settings, monkeypatch, role, secret)
    with pytest.raises(Unavailable):
        one(pool)
    assert secret.renewals == 1
    pool.dispose()
