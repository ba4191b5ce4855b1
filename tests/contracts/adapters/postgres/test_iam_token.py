"""Login tokens for Postgres, held to those that botocore signs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.auth
import pytest
from sqlalchemy import create_engine

from modulo.adapters.aws.credentials import AwsCredentials
from modulo.adapters.postgres.iam_token import login_token, use_tokens

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
HOST = "modulo.proxy-abc123.eu-central-1.rds.amazonaws.com"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzE+/==&%~ x",
    "AWS_DEFAULT_REGION": "eu-central-1",
}


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment at which botocore signs, with its own code: functions have none of the C library that it prefers."""
    monkeypatch.setitem(botocore.auth.AUTH_TYPE_MAPS, "v4-query", botocore.auth.SigV4QueryAuth)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)


def botocores(credentials: AwsCredentials, host: str, port: int, user: str) -> str:
    client = boto3.session.Session().client(
        "rds",
        region_name=credentials.region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
    )
    token: str = client.generate_db_auth_token(DBHostname=host, Port=port, DBUsername=user)
    return token


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("session_token", [None, "FwoGZXIvYXdzE+/==&%~ x*()'!:@,;é€"])
@pytest.mark.parametrize("secret", ["wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+b/c=d"])
@pytest.mark.parametrize(
    ("host", "port", "user"),
    [
        (HOST, 5432, "modulo"),
        (HOST.upper(), 5433, "modulo"),
        (HOST, 443, "modulo"),
        ("db", 1, "a b+c&d=e/f%g~h-i_j.k?#é€*'()!:@"),
    ],
)
def test_a_token_is_botocores_to_the_byte(
    host: str, port: int, user: str, secret: str, session_token: str | None
) -> None:
    for region in ("eu-central-1", "us-gov-west-1"):
        credentials = AwsCredentials("AKIDEXAMPLE", secret, session_token, region)
        assert login_token(host, port, user, credentials, NOW) == botocores(credentials, host, port, user)


def passwords(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Connect, and tell the password that the driver was given."""
    given: list[Any] = []
    engine = create_engine(f"postgresql+pg8000://modulo@{HOST}:5432/modulo")

    def connect(*_: Any, **parameters: Any) -> None:
        given.append(parameters["password"])
        raise ConnectionRefusedError

    monkeypatch.setattr(engine.dialect, "connect", connect)
    use_tokens(engine)

    def password() -> str:
        with pytest.raises(ConnectionRefusedError):
            engine.connect()
        return str(given.pop())

    return password


def test_credentials_come_from_the_environment_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    password = passwords(monkeypatch)
    assert "AKIDEXAMPLE%2F" in password()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDRENEWED")
    found = password()
    assert found.startswith(f"{HOST}:5432/?Action=connect&DBUser=modulo&")
    assert "AKIDRENEWED%2F" in found
    assert "X-Amz-Security-Token=FwoGZXIvYXdzE%2B%2F%3D%3D%26%25~%20x&" in found


def test_without_them_botocore_finds_the_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in (*ENVIRONMENT, "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\nregion = eu-west-3\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    found = passwords(monkeypatch)()
    day = f"{datetime.now(UTC):%Y%m%d}"
    assert f"AKIDPROFILE%2F{day}%2Feu-west-3%2Frds-db%2Faws4_request" in found
    assert "X-Amz-Security-Token" not in found


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"])
def test_incomplete_credentials_are_none(missing: str) -> None:
    assert AwsCredentials.of({name: value for name, value in ENVIRONMENT.items() if name != missing}) is None


def test_the_region_is_lambdas_where_no_other_is_named() -> None:
    environment = {**ENVIRONMENT, "AWS_DEFAULT_REGION": "", "AWS_REGION": "us-east-1"}
    found = AwsCredentials.of(environment)
    assert found is not None
    assert found.region == "us-east-1"
