"""Which addresses may be fetched from the web, and what the files from there are called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import unquote, urlsplit

from modulo.domain.errors import InvalidRequest, RefusedUrl
from modulo.domain.media import EXTENSIONS, MAX_NAME, READABLE, safe_name
from modulo.domain.value import Value

MAX_URL: Final = 2_000
STORING = timedelta(minutes=2)
"""How long it may take from the record of what was fetched until it is stored: a function does not live longer."""
PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_GLOBAL_IPV6 = ip_network("2000::/3")
_TRANSLATED = (
    *("64:ff9b::/96", "64:ff9b:1::/48"),  # NAT64 (RFC 6052, 8215)
    *("2002::/16", "192.88.99.0/24"),  # 6to4 and its relays (RFC 3056, 3068)
    *("2001::/23", "3fff::/20", "5f00::/16"),  # Teredo and other special purposes (RFC 2928, 9637, 9602)
)
_INSIDE = ("192.0.0.0/24", "168.63.129.16/32")
"""Public by number, but the clouds' own: protocol assignments (RFC 6890), and Azure's host."""
_REFUSED = tuple(ip_network(network) for network in (*_TRANSLATED, *_INSIDE))
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
"""As RFC 9110 has it, but for bytes beyond ASCII; and not for ever."""
_PAGES = frozenset({"php", "asp", "aspx", "jsp", "cgi", "do"})
"""Extensions of programs that answer with pages."""
_GENERIC = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/xhtml+xml", "application/x-pdf"}
)


class NewUrl(Value):
    """An address whose content is to be ingested."""

    url: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Validators:
    """By what a server knows the bytes it sent again: an entity tag, the moment of their last change, or neither."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, etag: str | None, last_modified: str | None) -> "Validators":
        """What a server says of them, as far as it is what it should be and may be sent back."""
        return cls(etag if etag and _ETAG.fullmatch(etag) else None, _http_date(last_modified))


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered with."""

    content: bytes
    media_type: str
    validators: Validators = NO_VALIDATORS


@dataclass(frozen=True, slots=True)
class Known:
    """What was fetched from an address last and is searched now: the number it was stored as, and its bytes."""

    source: int
    checksum_sha256: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class Fetch:
    """A generation whose bytes are to be fetched; `checksum` is that of the bytes found before, if any were."""

    name: str
    url: str
    attempt: int
    checksum: str | None
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """The bytes that a generation turned out to have; the checksum is hexadecimal."""

    size_bytes: int
    checksum_sha256: str
    media_type: str
    validators: Validators = NO_VALIDATORS


def _http_date(said: str | None) -> str | None:
    """A date of HTTP, written anew; None for any other text."""
    try:
        moment = parsedate_to_datetime(said or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return format_datetime(moment, usegmt=True) if moment.tzinfo is UTC else None


def require_plain(*, scheme: str, userinfo: str, host: str, port: int | None, ports: Mapping[str, int] = PORTS) -> None:
    """Let only addresses pass that name a web server plainly.

    Raises:
        RefusedUrl: it has another scheme, a user or a password, another port, or a host written as no browser shows it.
    """
    if scheme not in ports:
        raise RefusedUrl("Only addresses that begin with http:// or https:// can be fetched.")
    if userinfo:
        raise RefusedUrl("An address with a user or a password in it cannot be fetched.")
    if port not in (None, ports[scheme]):
        raise RefusedUrl(f"Only the usual ports can be fetched from: no other than {ports[scheme]} for {scheme}.")
    if not _plain_host(host):
        raise RefusedUrl("The address names no public server.")


def _plain_host(host: str) -> bool:
    """Whether a host is a name of several labels, or an IP address as it is usually written.

    Numbers that only look like names (2130706433, 0x7f.1, 0177.0.0.1) are addresses to some programs.
    """
    if _is_address(host):
        return str(ip_address(host)) == host.lower() and "%" not in host
    labels = host.removesuffix(".").split(".")
    named = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    return named and not _NUMBER.fullmatch(labels[-1])


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, and of no other network by way of a translation."""
    if not _is_address(address):
        return False
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_IPV6:
        return False
    if any(ip in network for network in _REFUSED if network.version == ip.version):
        return False
    return _ordinary(ip)


def _ordinary(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def checked_url(url: str) -> str:
    """The address, once it looks like one that may be fetched; where it leads shows when it is fetched.

    Raises:
        InvalidRequest: it is no address.
        RefusedUrl: it may not be fetched.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidRequest.field("url", f"must be an address of at most {MAX_URL} ASCII characters, others escaped")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidRequest.field("url", "is not an address") from None
    userinfo = parts.netloc.rpartition("@")[0] or ("@" if "@" in parts.netloc else "")
    host = parts.hostname or ""
    require_plain(scheme=parts.scheme, userinfo=userinfo, host=host, port=port)
    if _is_address(host) and not is_public(host):
        raise RefusedUrl("The address leads to no public server.")
    return url


def name_of(url: str) -> str:
    """What a file from there is called: as the end of its path or, else, as its host.

    What ends like a program, or like nothing that can be read, is taken for the page that it answers with.
    """
    parts = urlsplit(url)
    last = unquote(parts.path, errors="replace").rstrip("/").rpartition("/")[2]
    try:
        name = safe_name(last[-(MAX_NAME - 5) :])
    except InvalidRequest:
        name = parts.hostname or "page"
    extension = name.rpartition(".")[2].lower() if "." in name else None
    if extension is None or (extension in EXTENSIONS and extension not in _PAGES):
        return name
    return f"{name}.html"


def may_be_readable(media_type: str) -> bool:
    """Whether what a server calls so may be a document; what it really is, its first bytes tell."""
    return media_type in _GENERIC or media_type.startswith("text/") or media_type in READABLE
