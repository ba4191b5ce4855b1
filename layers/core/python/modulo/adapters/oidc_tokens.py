"""OpenID Connect access tokens, verified against the issuer's published keys."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from modulo.adapters.oidc_signing_keys import SigningKeys
from modulo.domain.errors import Unauthenticated
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.domain.text.unicode_text import is_well_formed

LEEWAY_SECONDS = 30


class OidcTokens:
    """JSON web tokens (JWT) of one issuer for one audience, signed with one of the allowed algorithms.

    The claim `tenant_claim` names the tenant. Tenant and user ids are derived from the issuer and the claims, so that
    two issuers can never name the same tenant. Scopes stand in the claim `scope` (RFC 9068), or in `scp` as of Entra ID
    and Okta; those that are unknown here are ignored.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        tenant_claim: str,
        jwks_url: str | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._algorithms = list(algorithms)
        self._tenant_claim = tenant_claim
        self._keys = SigningKeys(issuer, jwks_url)

    def principal(self, token: str) -> Principal:
        """See `ports.tokens.Tokens`."""
        return self._principal(self._claims(token))

    def subject(self, token: str) -> str:
        """See `ports.tokens.Tokens`."""
        return str(self._claims(token)["sub"])

    def expires_at(self, token: str) -> datetime:
        """See `ports.tokens.Tokens`."""
        return datetime.fromtimestamp(self._claims(token)["exp"], UTC)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = self._key(jwt.get_unverified_header(token))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token is not valid: {error}.") from None
        if not all(is_well_formed(str(value)) for value in claims.values()):
            raise Unauthenticated("The token is not valid: a claim holds an unpaired surrogate.")
        return claims

    def _principal(self, claims: dict[str, Any]) -> Principal:
        tenant, scope = claims.get(self._tenant_claim), claims.get("scope", claims.get("scp", ""))
        if not isinstance(tenant, str) or not tenant or not claims["sub"]:
            raise Unauthenticated(f"The token names no tenant: the claim {self._tenant_claim!r} is missing.")
        return Principal(
            tenant_id=external_id(self._issuer, f"tenant:{tenant}"),
            user_id=external_id(self._issuer, f"user:{tenant}:{claims['sub']}"),
            scopes=frozenset(Scope(word) for word in _words(scope) if word in Scope.__members__),
        )

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        if header.get("alg") not in self._algorithms:
            raise jwt.InvalidAlgorithmError("its algorithm is not allowed")
        return self._keys.get(str(header.get("kid", "")))


def _words(scope: Any) -> list[str]:
    """The scopes that a claim holds, as words or as a list."""
    if isinstance(scope, str):
        return scope.split()
    return [word for word in scope if isinstance(word, str)] if isinstance(scope, list) else []
