"""JSON over HTTP to a model provider, whose failures become errors of the domain."""

import json
import logging
import math
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import httpx

from modulo.adapters.models.event_decoder import EventDecoder, ServerSentEvent
from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled, TimedOut, Unavailable
from modulo.domain.host import host_of
from modulo.ports.deadline import remaining

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 64 * 1024**2
MAX_REFUSAL_BYTES = 64 * 1024
MAX_STREAM_BYTES = 16 * 1024**2
MAX_RETRY_AFTER_SECONDS = 3_600
CONNECT_SECONDS = 5.0
KEPT_CONNECTIONS = 20
"""Idle ones; there may be any number at work, as each streamed answer has one."""
BEARER: Final = ("Authorization", "Bearer ")
"""A header, and what its value begins with."""
REFUSED_KEY: Final = (401, 403)
NO_HEADERS: Final[Mapping[bytes, bytes]] = {}
INVALID_INPUT = (400, 413, 422)
"""Statuses that blame the content of the request; other 4xx blame the address or the model's name."""


class ModelApi:
    """The API of one provider; its connections are opened on first use and kept.

    `api_key` may be a secret that is kept elsewhere: it is read before the first request, and again when it is refused.
    `url` is the API's address with its version, such as https://api.openai.com/v1. `dependency` is the provider's
    role in errors and logs, such as "embedder". `timeout` is in seconds, for a whole call.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: "str | Secret | None",
        timeout: float,
        dependency: str,
        key_header: tuple[str, str] = BEARER,
        headers: Mapping[bytes, bytes] = NO_HEADERS,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = api_key
        self._key_header = key_header
        self._headers = dict(headers)
        self._timeout = timeout
        self._dependency = dependency
        self._named = f"{dependency} at {host_of(url)}"
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a request; the provider's answer, which may be any JSON value.

        Raises:
            Throttled: the provider's rate limit is reached.
            Unavailable: the provider does not answer in time, fails, or refuses the API key.
            RefusedByModel: the provider refuses the content of the request.
            BadModelAnswer: the address or model is unknown to the provider, or its answer is not JSON.
        """
        status, headers, content = self._send("POST", path, body)
        self._check_accepted(status, headers, content)
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise BadModelAnswer(f"The {self._dependency} did not answer with JSON.") from None

    def stream(self, path: str, body: Mapping[str, Any]) -> Generator[ServerSentEvent, None, None]:
        """Send a request; the server-sent events of the answer as they come.

        The timeout holds for the wait for each part. Closing the iterator closes the connection.

        Raises:
            Throttled, Unavailable, RefusedByModel, BadModelAnswer: as `post` does; Unavailable also where the
                answer breaks off.
        """
        with self._translated_errors(), closing(self._begin("POST", path, body)) as response:
            if response.status_code >= 300:
                self._check_accepted(response.status_code, response.headers, _beginning(response))
            decoder, received = EventDecoder(), 0
            for part in response.iter_bytes():
                remaining(self._timeout)  # which ends the answer with the request, also where no event comes
                received += len(part)
                if received > MAX_STREAM_BYTES:
                    raise BadModelAnswer(f"The {self._dependency} streamed more than {MAX_STREAM_BYTES} bytes.")
                for event in decoder.feed(part):
                    remaining(self._timeout)
                    yield event

    def _check_accepted(self, status: int, headers: httpx.Headers, content: bytes) -> None:
        self._check(status, headers)
        if status >= 300:
            code, param = _error_field(content, "code"), _error_field(content, "param")
            log.error("the %s refused a request: status %d, code %s, field %s", self._named, status, code, param)
            detail = f"The {self._dependency} refuses the request (status {status})."
            raise RefusedByModel(detail, param=param) if status in INVALID_INPUT else BadModelAnswer(detail)

    def ping(self) -> None:
        """Request the list of models, which costs nothing; a provider without one answers, too.

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
        deadline = monotonic() + remaining(self._timeout)
        answer = bytearray()
        with self._translated_errors(), closing(self._begin(method, path, body)) as response:
            for part in response.iter_bytes():
                answer += part
                if monotonic() > deadline:
                    raise TimedOut(f"The {self._dependency} took too long.", dependency=self._dependency)
                if len(answer) > MAX_ANSWER_BYTES:
                    raise BadModelAnswer(f"The {self._dependency} answered with more than {MAX_ANSWER_BYTES} bytes.")
        return response.status_code, response.headers, bytes(answer)

    def _begin(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """Send a request; the response, whose body is still to be read."""
        # `json.dumps` escapes lone surrogates, so the provider refuses them instead of this encoding failing.
        content = None if body is None else json.dumps(body).encode()
        key = self._key if isinstance(self._key, str | None) else self._key.value()
        response = self._sent(method, path, content, key)
        if response.status_code in REFUSED_KEY and key is not None and not isinstance(self._key, str | None):
            other = self._key.renewed(key)
            if other is not None:
                response.close()
                response = self._sent(method, path, content, other)
        return response

    def _sent(self, method: str, path: str, content: bytes | None, key: str | None) -> httpx.Response:
        headers = [] if content is None else [(b"Content-Type", b"application/json")]
        if key:
            name, prefix = self._key_header
            # As bytes, because httpx fails on a key that is not ASCII; so the provider refuses it.
            headers.append((name.encode(), f"{prefix}{key}".encode()))
        client = self._connected()
        timeout = _timeout(remaining(self._timeout))
        request = client.build_request(method, self._url + path, content=content, headers=headers, timeout=timeout)
        return _send_with_retry(client, request)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.DecodingError:
            raise BadModelAnswer(f"The {self._dependency}'s answer cannot be decoded.") from None
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            log.warning("the %s did not answer in time", self._named)
            raise TimedOut(f"The {self._dependency} took too long.", dependency=self._dependency) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("the %s does not answer: %s", self._named, type(error).__name__)
            raise Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency) from None

    def _connected(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_CONNECTIONS)
                self._client = httpx.Client(headers=self._headers, timeout=_timeout(self._timeout), limits=limits)
            return self._client

    def _check(self, status: int, headers: httpx.Headers) -> None:
        if status == 429:
            raise Throttled(
                f"The {self._dependency}'s rate limit is reached: try again later.",
                retry_after=_retry_after_seconds(headers.get("retry-after")),
                dependency=self._dependency,
            )
        if status in REFUSED_KEY:
            log.error("the %s refuses the API key: status %d", self._named, status)
        elif status >= 500:
            log.warning("the %s fails: status %d", self._named, status)
        else:
            return
        raise Unavailable(
            f"The {self._dependency} does not answer.",
            retry_after=_retry_after_seconds(headers.get("retry-after")),
            dependency=self._dependency,
        )


def _send_with_retry(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The response, its body unread; the request is sent twice where a kept connection proves to be closed."""
    try:
        return client.send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        return client.send(request, stream=True)


def _beginning(response: httpx.Response) -> bytes:
    """As much of a refusal as tells why."""
    content = b""
    for part in response.iter_bytes():
        content += part
        if len(content) > MAX_REFUSAL_BYTES:
            break
    return content


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def _retry_after_seconds(retry_after: str | None) -> int | None:
    """The seconds of a Retry-After header, at least 1; None if it is missing or a date."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(MAX_RETRY_AFTER_SECONDS, max(1, math.ceil(seconds))) if math.isfinite(seconds) else None


def _error_field(content: bytes, field: str) -> str | None:
    """A field of the provider's error object; its message is never read, as it may quote a tenant's text."""
    try:
        value = json.loads(content)["error"][field]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return value[:80] if isinstance(value, str) else None
