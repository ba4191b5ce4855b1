"""JSON over HTTP to a model provider, with its failures as our errors."""

import json
import logging
import math
import threading
from collections.abc import Mapping
from contextlib import closing
from time import monotonic
from typing import Any

import httpx

from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled, Unavailable

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024**2
MAX_RETRY_AFTER = 3_600
CONNECT_SECONDS = 5.0
REFUSALS = (400, 413, 422)
"""Statuses that blame what was sent; others blame the address or the model's name."""


def _sent(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The response with its body still to come; sent once more where a kept connection proves to be closed."""
    try:
        return client.send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return client.send(request, stream=True)


class ModelApi:
    """One provider; its connections are opened on first use and kept.

    `url` is the interface's address with its version, such as https://api.openai.com/v1.
    `dependency` names the provider's part in errors and logs. `timeout` is in seconds, for a whole
    call.
    """

    def __init__(self, url: str, *, api_key: str | None, timeout: float, dependency: str) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self._dependency = dependency
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What the provider answers: any JSON value.

        Raises:
            Throttled: it takes no more just now.
            Unavailable: it does not answer in time, fails, or refuses the API key.
            RefusedByModel: it refuses what was sent.
            BadModelAnswer: it knows no such request, or answers with something that is not JSON.
        """
        status, headers, content = self._send("POST", path, body)
        self._check(status, headers)
        if status >= 300:
            code, param = _named(content, "code"), _named(content, "param")
            log.error("%s refuses a request: status %d, code %s, field %s", self._dependency, status, code, param)
            detail = f"The {self._dependency} refuses the request (status {status})."
            raise RefusedByModel(detail, param=param) if status in REFUSALS else BadModelAnswer(detail)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise BadModelAnswer(f"The {self._dependency} did not answer with JSON.") from None

    def ping(self) -> None:
        """Ask for the list of models, which costs nothing; a provider without that list still answers.

        Raises:
            Throttled, Unavailable: as `post` does.
        """
        status, headers, _ = self._send("GET", "/models", None)
        self._check(status, headers)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, httpx.Headers, bytes]:
        # ASCII: text that is no valid Unicode is escaped, for the provider to refuse.
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        deadline = monotonic() + self._timeout
        answer = bytearray()
        try:
            client = self._opened()
            request = client.build_request(method, self._url + path, content=content, headers=headers)
            with closing(_sent(client, request)) as response:
                for part in response.iter_bytes():
                    answer += part
                    if monotonic() > deadline:
                        raise Unavailable(f"The {self._dependency} took too long.", dependency=self._dependency)
                    if len(answer) > MAX_ANSWER_BYTES:
                        raise BadModelAnswer(f"The {self._dependency} answered with more than can be read.")
        except httpx.DecodingError:
            raise BadModelAnswer(f"The {self._dependency}'s answer cannot be decoded.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("%s does not answer: %s", self._dependency, type(error).__name__)
            raise Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency) from None
        return response.status_code, response.headers, bytes(answer)

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                # As bytes: a key that cannot be sent as text is for the provider to refuse.
                key = {b"Authorization": f"Bearer {self._api_key}".encode()} if self._api_key else {}
                timeout = httpx.Timeout(self._timeout, connect=min(CONNECT_SECONDS, self._timeout))
                self._client = httpx.Client(headers=key, timeout=timeout)
            return self._client

    def _check(self, status: int, headers: httpx.Headers) -> None:
        if status == 429:
            raise Throttled(
                f"The {self._dependency} takes no more just now.",
                retry_after=_seconds(headers.get("retry-after")),
                dependency=self._dependency,
            )
        if status in (401, 403):
            log.error("%s refuses the API key: status %d", self._dependency, status)
        elif status >= 500:
            log.warning("%s fails: status %d", self._dependency, status)
        else:
            return
        raise Unavailable(
            f"The {self._dependency} does not answer.",
            retry_after=_seconds(headers.get("retry-after")),
            dependency=self._dependency,
        )


def _seconds(retry_after: str | None) -> int | None:
    """A Retry-After in seconds; one given as a date is left out."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(MAX_RETRY_AFTER, max(1, math.ceil(seconds))) if math.isfinite(seconds) else None


def _named(content: bytes, field: str) -> str | None:
    """A field of the provider's error; its message is of no use here, for it may quote a tenant's text."""
    try:
        value = json.loads(content)["error"][field]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return value[:80] if isinstance(value, str) else None
