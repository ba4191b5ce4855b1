"""The published signing keys of an OpenID Connect issuer, cached so that an issuer that hangs stalls nobody."""

import json
import logging
import threading
from time import monotonic
from typing import Any, Final

import httpx
import jwt

from modulo.domain.errors import Unavailable

log = logging.getLogger(__name__)
FRESH_SECONDS: Final = 3_600
"""A key set older than this is fetched again in the background."""
STALE_SECONDS: Final = 12 * 3_600
"""How long a key set is used while the issuer does not answer: a signing key that leaked is revoked by then."""
REFRESH_SECONDS: Final = 30
"""The shortest time between two fetches while keys are cached: forged key ids must not make us hammer the issuer."""
RETRY_SECONDS: Final = 2
"""The shortest time between two fetches while no key is cached."""
FETCH_SECONDS: Final = 5.0
"""A deadline on a whole fetch, discovery document included."""
MAX_WAITING: Final = 4
"""Requests that may wait for a fetch while keys are cached: forged key ids must not take all threads."""
MAX_BYTES: Final = 1024**2


class SigningKeys:
    """The keys of one issuer by key id. One fetch runs at a time, in a thread of its own; every waiter shares it.

    A cached key is answered without a lock and without waiting, whatever the issuer does.
    """

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = float("-inf")
        self._begun = float("-inf")
        self._fetching: threading.Event | None = None
        self._waiting = 0

    def get(self, key_id: str) -> jwt.PyJWK:
        """The key of that id.

        Raises:
            jwt.InvalidKeyError: the issuer publishes no such key.
            Unavailable: the issuer does not answer, and no usable key set is cached.
        """
        key, age = self._keys.get(key_id), monotonic() - self._fetched
        if key is not None and age <= STALE_SECONDS:
            if age > FRESH_SECONDS:
                self._begin()
            return key
        self._wait(self._begin())
        if monotonic() - self._fetched > STALE_SECONDS:
            raise Unavailable("The identity provider's keys cannot be fetched.", dependency="oidc", retry_after=5)
        try:
            return self._keys[key_id]
        except KeyError:
            raise jwt.InvalidKeyError("its key is not one of the issuer's") from None

    def _begin(self) -> threading.Event | None:
        """The fetch that is under way, or one that is begun now; None where the last one is too recent."""
        with self._lock:
            if self._fetching is not None:
                return self._fetching
            now = monotonic()
            cached = now - self._fetched <= STALE_SECONDS
            if now - self._begun < (REFRESH_SECONDS if cached else RETRY_SECONDS):
                return None
            self._begun, self._fetching = now, threading.Event()
            threading.Thread(target=self._fetch, args=(self._fetching,), daemon=True).start()
            return self._fetching

    def _wait(self, fetch: threading.Event | None) -> None:
        if fetch is None:
            return
        with self._lock:
            if self._waiting >= MAX_WAITING and monotonic() - self._fetched <= STALE_SECONDS:
                raise Unavailable("The identity provider's keys are being fetched.", dependency="oidc", retry_after=1)
            self._waiting += 1
        try:
            fetch.wait(FETCH_SECONDS)
        finally:
            with self._lock:
                self._waiting -= 1

    def _fetch(self, done: threading.Event) -> None:
        try:
            keys = self._published()
        except Exception as error:
            log.warning("signing keys of %s not fetched: %s: %s", self._issuer, type(error).__name__, error)
        else:
            self._keys, self._fetched = keys, monotonic()
        finally:
            with self._lock:
                self._fetching = None
            done.set()

    def _published(self) -> dict[str, jwt.PyJWK]:
        deadline = monotonic() + FETCH_SECONDS
        with httpx.Client(timeout=FETCH_SECONDS / 2) as client:
            url = self._jwks_url or self._discovered(client, deadline)
            keys = jwt.PyJWKSet.from_dict(_json(client, url, deadline)).keys
        return {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}

    def _discovered(self, client: httpx.Client, deadline: float) -> str:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        document = _json(client, address, deadline)
        if document["issuer"] != self._issuer:
            raise ValueError("the discovery document is another issuer's")
        return str(document["jwks_uri"])


def _json(client: httpx.Client, url: str, deadline: float) -> dict[str, Any]:
    """A JSON object, read by the deadline whatever the server does."""
    content = bytearray()
    with client.stream("GET", url) as response:
        response.raise_for_status()
        for part in response.iter_bytes():
            content += part
            if monotonic() > deadline:
                raise TimeoutError("the issuer answers too slowly")
            if len(content) > MAX_BYTES:
                raise ValueError("the issuer's answer is too long")
    document = json.loads(content)
    if not isinstance(document, dict):
        raise TypeError("the issuer's answer is no JSON object")
    return document
