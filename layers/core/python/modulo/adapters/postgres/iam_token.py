"""Logging in to Postgres with IAM tokens in place of a password.

A token is a presigned URL (AWS Signature Version 4), made without a request. It is signed here because a boto3
client for it costs a cold start about half a second of processor time. tests/contracts compare the tokens with boto3's.
"""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Self
from urllib.parse import quote

from sqlalchemy import Engine, event

SERVICE: Final = "rds-db"
VALID_SECONDS: Final = 900
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_HTTPS_PORT: Final = 443


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """Who signs, and for which region."""

    access_key: str
    secret_key: str
    session_token: str | None
    region: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self | None:
        """Those in the environment variables that Lambda sets; None where one is missing."""
        key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
        region = environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION")
        if not (key and secret and region):
            return None
        return cls(key, secret, environment.get("AWS_SESSION_TOKEN") or None, region)


class _ResolvedCredentials:
    """Credentials from wherever botocore finds them: a container's or instance's role, a web identity, a profile."""

    def __init__(self) -> None:
        from botocore.session import Session  # noqa: PLC0415 - slow to import, and not needed in most functions

        self._session = Session()

    def __call__(self) -> AwsCredentials:
        """Those that are valid now: botocore renews them before they expire."""
        from botocore.exceptions import NoCredentialsError, NoRegionError  # noqa: PLC0415 - see above

        found = self._session.get_credentials()
        now = found.get_frozen_credentials() if found else None
        if now is None or not (now.access_key and now.secret_key):
            raise NoCredentialsError
        region = self._session.get_config_variable("region") or os.environ.get("AWS_REGION")
        if not region:
            raise NoRegionError
        return AwsCredentials(now.access_key, now.secret_key, now.token, region)


def use_tokens(pool: Engine) -> None:
    """Give each new connection a fresh token: one lives for 15 minutes, a connection longer."""
    # Loaded here rather than at the first connection, so that a SnapStart snapshot holds botocore: a restored
    # environment gets its credentials from a container endpoint.
    resolved = None if AwsCredentials.of(os.environ) else _ResolvedCredentials()

    @event.listens_for(pool, "do_connect")
    def _sign(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        nonlocal resolved
        credentials = AwsCredentials.of(os.environ)
        if credentials is None:
            resolved = resolved or _ResolvedCredentials()
            credentials = resolved()
        parameters["password"] = login_token(
            parameters["host"], parameters.get("port", 5432), parameters["user"], credentials, datetime.now(UTC)
        )


def login_token(host: str, port: int, user: str, credentials: AwsCredentials, now: datetime) -> str:
    """The password with which a database user logs in during the next 15 minutes."""
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{credentials.region}/{SERVICE}/aws4_request"
    query = {
        "Action": "connect",
        "DBUser": user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(VALID_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token:
        query["X-Amz-Security-Token"] = credentials.session_token
    parts = [f"{_escaped(name)}={_escaped(value)}" for name, value in query.items()]
    signed_host = host.lower() if port == _HTTPS_PORT else f"{host.lower()}:{port}"
    request = f"GET\n/\n{'&'.join(sorted(parts))}\nhost:{signed_host}\n\nhost\n{sha256().hexdigest()}"
    to_sign = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, credentials.region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{host}:{port}/?{'&'.join(parts)}&X-Amz-Signature={hmac.digest(key, to_sign.encode(), 'sha256').hex()}"


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
