"""A secret in AWS Secrets Manager, read when it is first needed and again when somebody refuses it.

The request is made here because a boto3 client for it costs a cold start about half a second of processor time.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

from modulo.adapters.aws.credentials import CredentialSource
from modulo.adapters.aws.signature import signed_headers
from modulo.domain.errors import Unavailable

log = logging.getLogger(__name__)
ARN: Final = re.compile(
    r"arn:(aws[a-z-]{0,20}):secretsmanager:([a-z0-9-]{1,30}):\d{12}:secret:[\w/+=.@-]{1,520}", re.ASCII
)
SERVICE: Final = "secretsmanager"
SECONDS: Final = 3.0
ATTEMPTS: Final = 2
RENEW_SECONDS: Final = 10.0
"""A secret is not read more often than that, so that a wrong one is no load on Secrets Manager."""
MAX_ANSWER_BYTES: Final = 256 * 1024
"""Secrets Manager keeps at most 64 KB, which JSON may write longer."""
MEMBERS: Final = ("password", "value")


def is_reference(text: str) -> bool:
    """Whether a setting names a secret rather than holding one."""
    return ARN.fullmatch(text) is not None


class StoredSecret:
    """The secret with this ARN: a text, or the member `password` (as RDS has it) or `value` of a JSON object."""

    def __init__(
        self,
        arn: str,
        *,
        read: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._arn = arn
        self._read = read or SecretReader()
        self._clock = clock
        self._lock = Lock()
        self._value: str | None = None
        self._read_at = 0.0

    def value(self) -> str:
        """See `ports.secrets.Secret`."""
        with self._lock:
            return self._again() if self._value is None else self._value

    def renewed(self, refused: str) -> str | None:
        """See `ports.secrets.Secret`."""
        with self._lock:
            if self._value == refused and self._clock() - self._read_at >= RENEW_SECONDS:
                log.warning("the secret %s was refused, so it is read again", self._arn)
                self._again()
            return None if self._value == refused else self._value

    def _again(self) -> str:
        self._read_at = self._clock()
        self._value = _text_of(self._read(self._arn))
        return self._value


class SecretReader:
    """Reads secrets by their ARN."""

    def __init__(self) -> None:
        self._credentials = CredentialSource()

    def __call__(self, arn: str) -> str:
        """The secret's text.

        Raises:
            Unavailable: Secrets Manager does not answer, or refuses.
            ValueError: it is no ARN of a secret.
        """
        found = ARN.fullmatch(arn)
        if found is None:
            raise ValueError("this is no ARN of a secret")
        partition, region = found[1], found[2]
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        named = os.environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or os.environ.get("AWS_ENDPOINT_URL")
        url = urlsplit(named or f"https://{SERVICE}.{region}.{suffix}")
        body = json.dumps({"SecretId": arn}).encode()
        for attempt in range(ATTEMPTS):
            headers = signed_headers(
                url.netloc,
                {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{SERVICE}.GetSecretValue"},
                body,
                replace(self._credentials(), region=region),
                service=SERVICE,
                now=datetime.now(UTC),
            )
            try:
                status, answer = _post(url.scheme, url.netloc, headers, body)
            except (OSError, HTTPException) as error:
                status, answer = 0, type(error).__name__.encode()
            if status == 200:
                return _secret_string(answer)
            log.warning("the secret %s cannot be read: status %d, %s", arn, status, _kind(answer))
            if 400 <= status < 500 or attempt == ATTEMPTS - 1:
                break
        raise Unavailable("A secret cannot be read: try again shortly.", dependency="secrets")


def _post(scheme: str, host: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    kinds: dict[str, type[HTTPConnection]] = {"https": HTTPSConnection, "http": HTTPConnection}
    connection = kinds[scheme](host, timeout=SECONDS)  # without TLS on a local cloud
    try:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        return response.status, response.read(MAX_ANSWER_BYTES)
    finally:
        connection.close()


def _secret_string(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["SecretString"])
    except (ValueError, KeyError, TypeError):
        raise Unavailable("A secret is not kept as a text.", dependency="secrets") from None


def _kind(answer: bytes) -> str:
    """The error's type, which holds nothing secret."""
    try:
        return str(json.loads(answer)["__type"])[:80]
    except (ValueError, KeyError, TypeError):
        return answer[:80].decode(errors="replace") if answer.isalpha() else "no reason"


def _text_of(secret: str) -> str:
    try:
        found: Any = json.loads(secret)
    except ValueError:
        return secret
    if isinstance(found, dict):
        for name in MEMBERS:
            if isinstance(found.get(name), str):
                return str(found[name])
    return secret
