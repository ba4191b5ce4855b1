"""URLs: which may be fetched, what is known of their content, and the names of the files made of it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from pydantic import Field

from modulo.domain.errors import InvalidRequest, RefusedUrl
from modulo.domain.files.attributes import Attributes
from modulo.domain.files.media import EXTENSIONS, MAX_NAME_CHARACTERS, READABLE, safe_name
from modulo.domain.request_model import RequestModel

MAX_URL_CHARACTERS: Final = 2_000
STORE_TIMEOUT = timedelta(minutes=2)
"""Longest time between recording and storing fetched bytes; a function does not live longer."""
PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_GLOBAL_IPV6 = ip_network("2000::/3")
_TRANSLATED = (
    *("64:ff9b::/96", "64:ff9b:1::/48"),  # NAT64 (RFC 6052, 8215)
    *("2002::/16", "192.88.99.0/24"),  # 6to4 and its relays (RFC 3056, 3068)
    *("2001::/23", "3fff::/20", "5f00::/16"),  # Teredo and other special purposes (RFC 2928, 9637, 9602)
)
_INSIDE = ("192.0.0.0/24", "168.63.129.16/32")
"""Public by number, but internal to clouds: protocol assignments (RFC 6890), and Azure's host."""
_REFUSED = tuple(ip_network(network) for network in (*_TRANSLATED, *_INSIDE))
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
"""As in RFC 9110, but ASCII only and of limited length."""
_PAGES = frozenset({"php", "asp", "aspx", "jsp", "cgi", "do"})
"""Extensions of programs that answer with pages."""
_FIRST_PAGES = frozenset({"index", "default", "home", "main"})
_NAMELESS = re.compile(rf"(?:{'|'.join(sorted(_FIRST_PAGES))}|[\W\d_]*)", re.IGNORECASE)
"""Ends of paths that say nothing without what stands before them."""
_PRIVATE = re.compile(r"^(?:utm_|x-amz-|x-goog-)|token|key|sig|secret|pass|auth|session|credential", re.IGNORECASE)
"""Names of parameters of credentials and campaigns."""
MAX_PARAMETER_CHARACTERS: Final = 40
_GENERIC = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/xhtml+xml", "application/x-pdf"}
)


class NewUrl(RequestModel):
    """A URL whose content is to be ingested."""

    url: str = Field(
        json_schema_extra={"pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]", "maxLength": MAX_URL_CHARACTERS}
    )
    name: str | None = None
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class Validators:
    """HTTP validators of a response: an entity tag, a modification date, both or neither."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, etag: str | None, last_modified: str | None) -> "Validators":
        """The validators of a response, as far as they are well-formed and may be sent back."""
        return cls(etag if etag and _ETAG.fullmatch(etag) else None, _http_date(last_modified))


NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class FetchedContent:
    """The content of a response."""

    content: bytes
    media_type: str
    validators: Validators = NO_VALIDATORS


@dataclass(frozen=True, slots=True)
class KnownContent:
    """The content last fetched from a URL and live now: the generation that stores it, its checksum and validators."""

    source: int
    checksum_sha256: str
    validators: Validators


@dataclass(frozen=True, slots=True)
class FetchTask:
    """A generation whose bytes are to be fetched; `checksum` is that of an earlier fetch, if there was one."""

    name: str
    url: str
    attempt: int
    checksum: str | None
    known: KnownContent | None = None


@dataclass(frozen=True, slots=True)
class ContentInfo:
    """Properties of the fetched bytes; the checksum is hexadecimal."""

    size_bytes: int
    checksum_sha256: str
    media_type: str
    validators: Validators = NO_VALIDATORS


def _http_date(text: str | None) -> str | None:
    """An HTTP date, normalised; None for any other text."""
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return format_datetime(moment, usegmt=True) if moment.tzinfo is UTC else None


def require_plain(*, scheme: str, userinfo: str, host: str, port: int | None, ports: Mapping[str, int] = PORTS) -> None:
    """Reject URLs that do not name a web server plainly.

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
    """Whether an IP address is public, and does not reach another network by translation."""
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


def require_public_url(url: str) -> str:
    """The URL, if it may be fetched by its form; the addresses that its host resolves to are checked on each fetch.

    Raises:
        InvalidRequest: it is no URL.
        RefusedUrl: it may not be fetched.
    """
    if len(url) > MAX_URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidRequest.field(
            "url", f"must be an address of at most {MAX_URL_CHARACTERS} ASCII characters, others escaped"
        )
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


def name_from_url(url: str) -> str:
    """The name of a file from its URL, for people to read.

    The end of the path where that says enough (`report.pdf`, `Moon`). Otherwise, as for a site's first page, a folder,
    a number or a query, the host and the path (`example.org - docs - id=7.html`). Names that end like a program, or in
    an unknown extension, get `.html`: the response is most likely a page.
    """
    parts = urlsplit(url)
    steps = [step for step in map(_decoded, parts.path.split("/")) if step is not None]
    last = steps[-1][-(MAX_NAME_CHARACTERS - 5) :] if steps else ""
    stem, dot, extension = last.rpartition(".")
    extension = extension.lower() if dot and stem else ""
    is_document = extension in EXTENSIONS and extension not in _PAGES
    says_enough = not (_NAMELESS.fullmatch(stem if extension else last) or parts.path.endswith("/"))
    if says_enough and (is_document or not parts.query):
        return last if is_document or not dot else f"{last}.html"
    if steps and (is_document or extension in _PAGES):
        steps[-1] = stem
    if steps and steps[-1].lower() in _FIRST_PAGES:
        steps.pop()
    shown = () if is_document else _shown_parameters(parts.query)
    name = " - ".join((_shown_host(parts.hostname or "page"), *steps, *shown))
    ending = f".{extension}" if is_document else ".html"
    return name[: MAX_NAME_CHARACTERS - len(ending)].rstrip() + ending


def _decoded(escaped: str) -> str | None:
    """A step of a path as people read it: in UTF-8 or Windows-1252; None where no name may hold it."""
    raw = unquote_to_bytes(escaped)
    for encoding in ("utf-8", "cp1252"):
        with suppress(UnicodeDecodeError, InvalidRequest):
            return safe_name(raw.decode(encoding)[-(MAX_NAME_CHARACTERS - 5) :])
    return None


def _shown_host(host: str) -> str:
    """A host without `www.`, and in its own script (`münchen.example` for `xn--mnchen-3ya.example`)."""
    plain = host.removeprefix("www.")
    with suppress(UnicodeError, InvalidRequest):
        return safe_name(plain.encode("ascii").decode("idna"))
    return plain


def _shown_parameters(query: str) -> Iterator[str]:
    """The short parameters of a query, which tell its pages apart, without credentials and campaigns."""
    for escaped in query.split("&"):
        parameter = _decoded(escaped.replace("+", " "))
        if (
            parameter
            and len(parameter) <= MAX_PARAMETER_CHARACTERS
            and not _PRIVATE.search(parameter.partition("=")[0])
        ):
            yield parameter


def may_be_readable(media_type: str) -> bool:
    """Whether a response of that media type may be a readable document; its first bytes decide."""
    return media_type in _GENERIC or media_type.startswith("text/") or media_type in READABLE
