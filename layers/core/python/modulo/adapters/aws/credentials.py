"""Credentials with which requests to AWS are signed, without boto3 where Lambda gives them by environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


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


class CredentialSource:
    """Credentials that are valid now, from the environment or from wherever botocore finds them.

    botocore is loaded at once where the environment has none, so that a SnapStart snapshot holds it: a restored
    environment gets its credentials from a container endpoint.
    """

    def __init__(self) -> None:
        self._resolved = None if AwsCredentials.of(os.environ) else _ResolvedCredentials()

    def __call__(self) -> AwsCredentials:
        """Those that are valid now.

        Raises:
            NoCredentialsError, NoRegionError: botocore finds none.
        """
        found = AwsCredentials.of(os.environ)
        if found is None:
            self._resolved = self._resolved or _ResolvedCredentials()
            found = self._resolved()
        return found


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
