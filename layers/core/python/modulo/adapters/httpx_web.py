"""The web, as far as it may be fetched from: public servers only, looked up once and then held to that very address."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from socket import IPPROTO_TCP, gaierror, getaddrinfo
from threading import Timer
from time import monotonic
from typing import Final

import httpx

from modulo import __version__
from modulo.domain.errors import DeniedUrl, OversizedFile, RefusedUrl, UnreachableUrl, UnsupportedFile
from modulo.domain.media import READABLE
from modulo.domain.web import NO_VALIDATORS, PORTS, Fetched, Validators, is_public, may_be_readable, require_plain

MOST_REDIRECTS: Final = 5
MOST_ADDRESSES: Final = 3
"""How many of a host's addresses are tried."""
HEADERS: Final = {
    "User-Agent": f"Modulo/{__version__}",
    "Accept": ", ".join((*READABLE, "*/*;q=0.1")),
    "Accept-Encoding": "identity",  # what is packed may unpack to anything
}
_PASSING: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, of silence, and for everything together."""

    connect: float = 5
    silence: float = 10
    whole: float = 60


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked of every hop."""

    max_bytes: int
    until: float
    known: Validators

    @property
    def conditions(self) -> dict[str, str]:
        """The headers by which a server need not send what is known."""
        found = {"If-None-Match": self.known.etag, "If-Modified-Since": self.known.last_modified}
        return {name: value for name, value in found.items() if value is not None}


def resolve(host: str, port: int) -> list[str]:
    """The host's addresses, as the system knows them.

    Raises:
        UnreachableUrl: it knows none.
    """
    try:
        return list(dict.fromkeys(str(found[4][0]) for found in getaddrinfo(host, port, proto=IPPROTO_TCP)))
    except (gaierror, UnicodeError):
        raise UnreachableUrl("The address's server is not known: look whether its name is right.") from None


class HttpxWeb:
    """Fetches without cookies, credentials, proxies or anything else of this machine's.

    Every hop's host is resolved here, once; every address found must be public; the connection is made to that
    address, while certificate and `Host` are the name's. So no second look-up can lead elsewhere. The
    arguments are for tests, which have no other servers than their own.
    """

    def __init__(
        self,
        *,
        resolve: Callable[[str, int], Sequence[str]] = resolve,
        permitted: Callable[[str], bool] = is_public,
        ports: Mapping[str, int] = PORTS,
        trusted: ssl.SSLContext | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._resolve = resolve
        self._permitted = permitted
        self._ports = ports
        self._trusted = trusted
        self._patience = patience or Patience()

    def fetch(self, url: str, *, max_bytes: int, known: Validators = NO_VALIDATORS) -> Fetched | None:
        """See `ports.Web`."""
        question = _Question(max_bytes, monotonic() + self._patience.whole, known)
        at = _parsed(url)
        for _ in range(MOST_REDIRECTS + 1):
            found = self._hop(at, question)
            if not isinstance(found, httpx.URL):
                return found
            if at.scheme == "https" and found.scheme == "http":
                raise RefusedUrl("The address leads from https to plain http.")
            at = found
        raise RefusedUrl(f"The address leads on more than {MOST_REDIRECTS} times.")

    def _hop(self, url: httpx.URL, question: _Question) -> Fetched | httpx.URL | None:
        error = UnreachableUrl()
        for address in self._addresses(url)[:MOST_ADDRESSES]:
            try:
                return self._answer(url, address, question)
            except UnreachableUrl as failed:
                error = failed
        raise error

    def _addresses(self, url: httpx.URL) -> Sequence[str]:
        """Where the host is, once all of it is public: what is public only in part is meant to deceive."""
        userinfo = url.userinfo.decode("ascii", "replace")
        host = url.raw_host.decode("ascii")
        require_plain(scheme=url.scheme, userinfo=userinfo, host=host, port=url.port, ports=self._ports)
        found = self._resolve(host, url.port or self._ports[url.scheme])
        if not found or not all(self._permitted(address) for address in found):
            raise RefusedUrl("The address leads to no public server.")
        return found

    def _answer(self, url: httpx.URL, address: str, question: _Question) -> Fetched | httpx.URL | None:
        patience, until = self._patience, question.until
        left = until - monotonic()
        if left <= 0:
            raise UnreachableUrl("The address's server takes too long.")
        timeout = httpx.Timeout(min(patience.silence, left), connect=min(patience.connect, left))
        request = httpx.Request(
            "GET",
            url.copy_with(host=address, fragment=None),
            headers=HEADERS | question.conditions | {"Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": timeout.as_dict()},
        )
        # A bare transport: no redirects, cookies or credentials of its own, and a connection for each hop.
        transport = httpx.HTTPTransport(verify=True if self._trusted is None else self._trusted, trust_env=False)
        # A server that sends a byte now and then is never silent; this ends it all the same.
        watchdog = Timer(left, transport.close)
        watchdog.daemon = True
        watchdog.start()
        try:
            with closing(transport), closing(transport.handle_request(request)) as response:
                return _read(response, url, question)
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            if monotonic() >= until:
                raise UnreachableUrl("The address's server takes too long.") from None
            raise UnreachableUrl from None
        finally:
            watchdog.cancel()


def _parsed(url: str | httpx.URL) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise RefusedUrl("This is no address that can be fetched.") from None


def _read(response: httpx.Response, url: httpx.URL, question: _Question) -> Fetched | httpx.URL | None:
    status, max_bytes = response.status_code, question.max_bytes
    if status == 304 and question.conditions:
        return None
    if status in (301, 302, 303, 307, 308) and "location" in response.headers:
        return _joined(url, response.headers["location"])
    if status >= 500 or status in _PASSING:
        raise UnreachableUrl(f"The address's server fails just now (status {status}).")
    if status != 200:
        raise DeniedUrl(f"The address's server refuses it (status {status}).")
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RefusedUrl("The address's server packs what it sends, though asked not to.")
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not may_be_readable(media_type):
        raise UnsupportedFile(f"The address holds {media_type[:80]}, which cannot be read.")
    announced = response.headers.get("content-length", "")
    content = bytearray()
    if announced.isdigit() and int(announced) > max_bytes:
        raise _oversized(max_bytes)
    for part in response.iter_raw():
        content += part
        if len(content) > max_bytes:
            raise _oversized(max_bytes)
    said = Validators.of(response.headers.get("etag"), response.headers.get("last-modified"))
    return Fetched(bytes(content), media_type, said)


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise RefusedUrl("The address leads on to what is no address.") from None


def _oversized(max_bytes: int) -> OversizedFile:
    return OversizedFile(f"What is fetched by its address may have at most {max_bytes} bytes.")
