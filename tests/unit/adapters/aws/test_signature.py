"""Signatures, held to those that botocore makes."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from modulo.adapters.aws.credentials import AwsCredentials
from modulo.adapters.aws.signature import signed_headers

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}


@pytest.mark.parametrize("session_token", [None, "FwoGZXIvYXdzE+/=="])
@pytest.mark.parametrize("host", ["secretsmanager.eu-central-1.amazonaws.com", "127.0.0.1:4566"])
def test_a_request_is_signed_as_by_botocore(
    monkeypatch: pytest.MonkeyPatch, host: str, session_token: str | None
) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    body = b'{"SecretId": "a"}'
    theirs = AWSRequest(method="POST", url=f"https://{host}/", headers=HEADERS, data=body)
    credentials = Credentials("AKIDEXAMPLE", "a+b/c=d", session_token)
    botocore.auth.SigV4Auth(credentials, "secretsmanager", "eu-central-1").add_auth(theirs)
    ours = signed_headers(
        host,
        HEADERS,
        body,
        AwsCredentials("AKIDEXAMPLE", "a+b/c=d", session_token, "eu-central-1"),
        service="secretsmanager",
        now=NOW,
    )
    assert ours["Authorization"] == theirs.headers["Authorization"]
