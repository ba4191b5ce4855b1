"""Logging in to Postgres with IAM tokens in place of a password."""

from typing import Any

import boto3
from sqlalchemy import Engine, event


def use_tokens(pool: Engine) -> None:
    """Give each new connection a fresh token: one lives for 15 minutes, a connection longer."""
    # Signing is local arithmetic: no request is made.
    client = boto3.client("rds")

    @event.listens_for(pool, "do_connect")
    def _sign(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters["password"] = client.generate_db_auth_token(
            DBHostname=parameters["host"], Port=parameters.get("port", 5432), DBUsername=parameters["user"]
        )
