"""Fetches from public web servers only (SSRF protection): each host is resolved once, checked, then connected to."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from socket import EAI_NONAME, IPPROTO_TCP, gaierror, getaddrinfo
from threading import Timer
from time import monotonic
from typing import Final

import httpx

from modulo import __version__
from modulo.domain.errors import DeniedUrl, OversizedFile, RefusedUrl, UnreachableUrl, UnsupportedFile
from modulo.domain.files.media import READABLE
from modulo.domain.files.web import (
    NO_VALIDATORS,
    PORTS,
    FetchedContent,
    Validators,
    is_public,
    may_be_readable,
    require_plain,
)

MAX_REDIRECTS: Final = 5
MAX_ADDRESSES: Final = 3
"""Addresses of a host that are tried, at most."""
HEADERS: Final = {
    "User-Agent": f"Modulo/{__version__}",
    "Accept": ", ".join((*READABLE, "*/*;q=0.1")),
    "Accept-Encoding": "identity",  # a compressed response could be a decompression bomb
}
_TRANSIENT: Final = frozenset({408, 425, 429})
"""Statuses below 500 after which a later try may succeed."""


@dataclass(frozen=True, slots=True)
class FetchTimeouts:
    """Timeouts in seconds: to connect, between two reads, and for the whole fetch with all its redirects."""

    connect: float = 5
    read: float = 10
    total: float = 60


@dataclass(frozen=True, slots=True)
class _FetchRequest:
    """What is the same for every hop; `deadline` is a moment of `time.monotonic`."""

    max_bytes: int
    deadline: float
    known: Validators

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that make the request conditional on a change."""
        headers = {"If-None-Match": self.known.etag, "If-Modified-Since": self.known.last_modified}
        return {name: value for name, value in headers.items() if value is not None}


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host, from the system's resolver.

    Raises:
        DeniedUrl: there is no such host.
        UnreachableUrl: who could tell does not answer.
    """
    try:
        return list(dict.fromkeys(str(found[4][0]) for found in getaddrinfo(host, port, proto=IPPROTO_TCP)))
    except (gaierror, UnicodeError) as error:
        if isinstance(error, UnicodeError) or error.errno == EAI_NONAME:
            raise DeniedUrl(f"There is no server named {host}: check the address.") from None
        raise UnreachableUrl(f"Whether there is a server named {host} cannot be found out at present.") from None


class HttpxWeb:
    """Fetches without cookies, credentials, proxies or other settings of this machine.

    The host of every hop is resolved here, once, and all its addresses must be public. The connection goes to a checked
    address, while certificate and `Host` header are those of the name. So DNS rebinding cannot redirect it. The
    arguments are for tests, whose servers are local.
    """

    def __init__(
        self,
        *,
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        is_permitted: Callable[[str], bool] = is_public,
        ports: Mapping[str, int] = PORTS,
        ssl_context: ssl.SSLContext | None = None,
        timeouts: FetchTimeouts | None = None,
    ) -> None:
        self._resolve = resolve
        self._is_permitted = is_permitted
        self._ports = ports
        self._ssl_context = ssl_context
        self._timeouts = timeouts or FetchTimeouts()

    def fetch(self, url: str, *, max_bytes: int, known: Validators = NO_VALIDATORS) -> FetchedContent | None:
        """See `ports.web.Web`."""
        request = _FetchRequest(max_bytes, monotonic() + self._timeouts.total, known)
        current = _parsed(url)
        for _ in range(MAX_REDIRECTS + 1):
            found = self._hop(current, request)
            if not isinstance(found, httpx.URL):
                return found
            if current.scheme == "https" and found.scheme == "http":
                raise RefusedUrl("The address redirects from https to plain http.")
            current = found
        raise RefusedUrl(f"The address redirects more than {MAX_REDIRECTS} times.")

    def _hop(self, url: httpx.URL, request: _FetchRequest) -> FetchedContent | httpx.URL | None:
        """The content, the address that it redirects to, or None if it has not changed."""
        error = UnreachableUrl()
        for address in self._addresses(url)[:MAX_ADDRESSES]:
            try:
                return self._request(url, address, request)
            except UnreachableUrl as failed:
                error = failed
        raise error

    def _addresses(self, url: httpx.URL) -> Sequence[str]:
        """The host's addresses; refused unless all of them are public, as a mixture is an attempt to deceive."""
        userinfo = url.userinfo.decode("ascii", "replace")
        host = url.raw_host.decode("ascii")
        require_plain(scheme=url.scheme, userinfo=userinfo, host=host, port=url.port, ports=self._ports)
        found = self._resolve(host, url.port or self._ports[url.scheme])
        if not found or not all(self._is_permitted(address) for address in found):
            raise RefusedUrl("The address is not that of a public server.")
        return found

    def _request(self, url: httpx.URL, address: str, request: _FetchRequest) -> FetchedContent | httpx.URL | None:
        left = request.deadline - monotonic()
        if left <= 0:
            raise UnreachableUrl("The server takes too long.")
        timeout = httpx.Timeout(min(self._timeouts.read, left), connect=min(self._timeouts.connect, left))
        http_request = httpx.Request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers=HEADERS | request.conditions | {"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": timeout.as_dict()},
        )
        # A bare transport follows no redirects and knows no cookies or credentials; each hop has its own connection.
        transport = httpx.HTTPTransport(
            verify=True if self._ssl_context is None else self._ssl_context, trust_env=False
        )
        # A server that sends a byte now and then never hits the read timeout, so a timer closes the connection.
        watchdog = Timer(left, transport.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            with closing(transport), closing(transport.handle_request(http_request)) as response:
                return _read(response, url, request)
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            if monotonic() >= request.deadline:
                raise UnreachableUrl("The server takes too long.") from None
            raise UnreachableUrl from None
        finally:
            watchdog.cancel()


def _parsed(url: str | httpx.URL) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise RefusedUrl("This is not an address that can be fetched.") from None


def _read(response: httpx.Response, url: httpx.URL, request: _FetchRequest) -> FetchedContent | httpx.URL | None:
    status, max_bytes = response.status_code, request.max_bytes
    if status == 304 and request.conditions:
        return None
    if status in (301, 302, 303, 307, 308) and "location" in response.headers:
        return _joined(url, response.headers["location"])
    if status >= 500 or status in _TRANSIENT:
        raise UnreachableUrl(f"The server fails at the moment (status {status}).")
    if status != 200:
        raise DeniedUrl(f"The server refuses the request (status {status}).")
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RefusedUrl("The server compresses its response, although asked not to.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not may_be_readable(media_type):
        raise UnsupportedFile(f"The address returns {media_type[:80]}, which cannot be read.")
    announced = response.headers.get("content-length", "")
    content = bytearray()
    if announced.isdigit() and int(announced) > max_bytes:
        raise _oversized(max_bytes)
    for part in response.iter_raw():
        content += part
        if len(content) > max_bytes:
            raise _oversized(max_bytes)
    validators = Validators.of(response.headers.get("etag"), response.headers.get("last-modified"))
    return FetchedContent(bytes(content), media_type, validators)


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise RefusedUrl("The address redirects to something that is not an address.") from None


def _oversized(max_bytes: int) -> OversizedFile:
    return OversizedFile(f"A file that is fetched may have at most {max_bytes} bytes.")
