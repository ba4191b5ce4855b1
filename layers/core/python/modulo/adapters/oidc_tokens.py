"""OpenID Connect access tokens, verified against the issuer's published keys."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import jwt

from modulo.domain.errors import Unauthenticated, Unavailable
from modulo.domain.identity import Principal, Scope, external_id

log = logging.getLogger(__name__)
LEEWAY_SECONDS = 30
KEYS_TTL_SECONDS = 3_600
REFRESH_SECONDS = 30
"""The shortest time between two fetches: forged key ids must not make us hammer the issuer."""


class OidcTokens:
    """JWTs of one issuer for one audience, signed with one of the allowed algorithms.

    The tenant is the claim `tenant_claim`; tenant and user ids are derived from the issuer and
    the claims' texts, so that two issuers can never name the same tenant. The scopes are those of
    the `scope` claim that this service knows.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        tenant_claim: str,
        jwks_url: str | None = None,
        timeout: float = 5,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._algorithms = list(algorithms)
        self._tenant_claim = tenant_claim
        self._jwks_url = jwks_url
        self._timeout = timeout
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._lock = threading.Lock()

    def principal(self, token: str) -> Principal:
        """See `ports.Tokens`."""
        return self._principal(self._claims(token))

    def subject(self, token: str) -> str:
        """See `ports.Tokens`."""
        return str(self._claims(token)["sub"])

    def expires_at(self, token: str) -> datetime:
        """See `ports.Tokens`."""
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
        return claims

    def _principal(self, claims: dict[str, Any]) -> Principal:
        tenant, scope = claims.get(self._tenant_claim), claims.get("scope", "")
        if not isinstance(tenant, str) or not tenant or not claims["sub"]:
            raise Unauthenticated(f"The token names no tenant: the claim {self._tenant_claim!r} is missing.")
        words = scope.split() if isinstance(scope, str) else []
        return Principal(
            tenant_id=external_id(self._issuer, f"tenant:{tenant}"),
            user_id=external_id(self._issuer, f"user:{tenant}:{claims['sub']}"),
            scopes=frozenset(Scope(word) for word in words if word in Scope.__members__),
        )

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        if header.get("alg") not in self._algorithms:
            raise jwt.InvalidAlgorithmError("its algorithm is not allowed")
        with self._lock:
            key_id = str(header.get("kid", ""))
            age = monotonic() - self._fetched
            if age > KEYS_TTL_SECONDS or (key_id not in self._keys and age > REFRESH_SECONDS):
                self._keys = self._fetch()
                self._fetched = monotonic()
            if key_id not in self._keys:
                raise jwt.InvalidKeyError("its key is not one of the issuer's")
            return self._keys[key_id]

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        try:
            with httpx.Client(timeout=self._timeout) as client:
                url = self._jwks_url or self._discovered(client)
                answer = client.get(url).raise_for_status().json()
            keys = jwt.PyJWKSet.from_dict(answer).keys
        except (httpx.HTTPError, ValueError, KeyError, AttributeError, jwt.PyJWTError) as error:
            log.warning("the issuer's keys could not be fetched: %s", error)
            raise Unavailable("The identity provider's keys cannot be fetched.", dependency="oidc") from error
        return {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}

    def _discovered(self, client: httpx.Client) -> str:
        answer = client.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
        if answer["issuer"] != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(answer["jwks_uri"])
