"""AWS Signature Version 4, without boto3: a client of that costs a cold start about half a second of processor time."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from modulo.adapters.aws.credentials import AwsCredentials

ALGORITHM: Final = "AWS4-HMAC-SHA256"


def scope_of(credentials: AwsCredentials, service: str, now: datetime) -> str:
    """What a signature is good for: a day, a region and a service."""
    return f"{now:%Y%m%d}/{credentials.region}/{service}/aws4_request"


def sign(request: str, credentials: AwsCredentials, service: str, now: datetime) -> str:
    """The signature of a canonical request."""
    scope = scope_of(credentials, service, now)
    to_sign = f"{ALGORITHM}\n{now:%Y%m%dT%H%M%SZ}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def signed_headers(
    host: str, headers: Mapping[str, str], body: bytes, credentials: AwsCredentials, *, service: str, now: datetime
) -> dict[str, str]:
    """The headers of a POST to `/` of a service, with those that authorize it."""
    signed = {**headers, "Host": host, "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}"}
    if credentials.session_token:
        signed["X-Amz-Security-Token"] = credentials.session_token
    by_name = sorted((name.lower(), value.strip()) for name, value in signed.items())
    names = ";".join(name for name, _ in by_name)
    lines = "".join(f"{name}:{value}\n" for name, value in by_name)
    request = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    found = sign(request, credentials, service, now)
    credential = f"{credentials.access_key}/{scope_of(credentials, service, now)}"
    signed["Authorization"] = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={found}"
    return signed
