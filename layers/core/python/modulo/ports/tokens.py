"""Bearer tokens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.tenancy.identity import Principal


class Tokens(Protocol):
    """Bearer tokens of an identity provider."""

    def principal(self, token: str) -> Principal:
        """The principal of a token, after verifying its signature, issuer, audience and times.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...

    def subject(self, token: str) -> str:
        """The `sub` claim of a token, after verifying it.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...

    def expires_at(self, token: str) -> datetime:
        """When a token expires, after verifying it.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...
