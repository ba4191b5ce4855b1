"""Logging in to Postgres with IAM tokens in place of a password.

A token is a presigned URL (AWS Signature Version 4), made without a request. It is signed here because a boto3
client for it costs a cold start about half a second of processor time. tests/contracts compare the tokens with boto3's.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Engine, event

from modulo.adapters.aws.credentials import AwsCredentials, CredentialSource
from modulo.adapters.aws.signature import ALGORITHM, scope_of, sign

SERVICE: Final = "rds-db"
VALID_SECONDS: Final = 900
_HTTPS_PORT: Final = 443


def use_tokens(pool: Engine) -> None:
    """Give each new connection a fresh token: one lives for 15 minutes, a connection longer."""
    source = CredentialSource()

    @event.listens_for(pool, "do_connect")
    def _sign(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = login_token(
            parameters["host"], parameters.get("port", 5432), parameters["user"], source(), datetime.now(UTC)
        )


def login_token(host: str, port: int, user: str, credentials: AwsCredentials, now: datetime) -> str:
    """The password with which a database user logs in during the next 15 minutes."""
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope_of(credentials, SERVICE, now)}",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(VALID_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    parts = [f"{_escaped(name)}={_escaped(value)}" for name, value in query.items()]
    signed_host = host.lower() if port == _HTTPS_PORT else f"{host.lower()}:{port}"
    request = f"GET\n/\n{'&'.join(sorted(parts))}\nhost:{signed_host}\n\nhost\n{sha256().hexdigest()}"
    signature = sign(request, credentials, SERVICE, now)
    return f"{host}:{port}/?{'&'.join(parts)}&X-Amz-Signature={signature}"


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
