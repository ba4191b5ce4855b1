"""Fetching by address: what is fetched, and everything that must not be.

The servers are real ones of this machine; a name leads to them only because the tests' look-up says so, and they
are let pass only because the tests' permission does.
"""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters import httpx_web
from modulo.adapters.httpx_web import MAX_REDIRECTS, FetchTimeouts, HttpxWeb, resolve
from modulo.domain.errors import DeniedUrl, ModuloError, OversizedFile, RefusedUrl, UnreachableUrl, UnsupportedFile
from modulo.domain.files.web import (
    FetchedContent,
    Validators,
    is_public,
    may_be_readable,
    name_from_url,
    require_public_url,
)
from modulo.services import Services
from modulo.settings import Settings
from tests.doubles.memory_web import MemoryWeb

HERE = "127.0.0.1"
HOST = "docs.example.org"
PAGE = b"<!doctype html><p>Snow fell in July."


class Server(ThreadingHTTPServer):
    """Answers by path, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, context=None):
        server = self
        self.asked = []
        self.answers = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.asked.append((self.path, dict(self.headers)))
                answer = server.answers.get(self.path.partition("?")[0], (404, {}, b""))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        super().__init__((HERE, 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving(context=None):
    server = Server(context)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate for one name, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("authority") / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def plain():
    with serving() as server:
        yield server


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with serving(context) as server:
        yield server


class Names:
    """A look-up that knows these names, and counts."""

    def __init__(self, known=None):
        self.known = known or {}
        self.asked = []

    def __call__(self, host, port):
        self.asked.append(host)
        return self.known.get(host) or ([host] if ":" in host or host[0].isdigit() else [HERE])


def web(plain=None, secure=None, *, names=None, permitted=lambda address: address == HERE, authority=None, **timeouts):
    ports = {"http": plain.server_port if plain else 80, "https": secure.server_port if secure else 443}
    context = ssl.create_default_context(cafile=authority) if authority else None
    return HttpxWeb(
        resolve=names or Names(),
        is_permitted=permitted,
        ports=ports,
        ssl_context=context,
        timeouts=FetchTimeouts(**timeouts),
    )


def at(server, path="/page", host=HOST, scheme="http"):
    return f"{scheme}://{host}:{server.server_port}{path}"


CHANGED = "Wed, 01 Jul 2026 06:00:00 GMT"


def versioned(page, status=304):
    """Sends a page, or says that it is what is known."""

    def answer(handler):
        said = {"ETag": page.validators.etag, "Last-Modified": page.validators.last_modified}
        known = said["ETag"] is not None and handler.headers.get("If-None-Match") == said["ETag"]
        handler.send_response(status if known else 200)
        headers = {name: value for name, value in said.items() if value is not None}
        body = b"" if known else page.content
        if not known:
            headers |= {"Content-Type": page.media_type, "Content-Length": str(len(body))}
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class TestContract:
    @pytest.fixture(params=["memory", "http"])
    def fetch(self, request, plain):
        """Fetches one page, or fails as its server does."""

        def fetching(answer, max_bytes=100, **known):
            if request.param == "memory":
                return MemoryWeb({"http://docs.example.org/page": answer}).fetch(
                    "http://docs.example.org/page", max_bytes=max_bytes, **known
                )
            if isinstance(answer, FetchedContent):
                plain.answers["/page"] = versioned(answer)
            else:
                status = {DeniedUrl: 403, UnreachableUrl: 503, UnsupportedFile: 200}[type(answer)]
                plain.answers["/page"] = status, {"Content-Type": "image/png"}, b"x"
            return web(plain).fetch(at(plain), max_bytes=max_bytes, **known)

        return fetching

    def test_a_page_comes_as_it_is(self, fetch):
        page = FetchedContent(PAGE, "text/html")
        assert fetch(page) == page
        assert fetch(page, max_bytes=len(PAGE)) == page

    def test_what_is_known_still_is_not_sent_again(self, fetch):
        page = FetchedContent(PAGE, "text/html", Validators('W/"7"', CHANGED))
        assert fetch(page) == page
        assert fetch(page, known=page.validators) is None
        assert fetch(page, known=Validators('W/"6"', CHANGED)) == page
        assert fetch(page, known=Validators()) == page

    def test_what_is_larger_than_allowed_is_not_read(self, fetch):
        with pytest.raises(OversizedFile):
            fetch(FetchedContent(PAGE, "text/html"), max_bytes=len(PAGE) - 1)

    @pytest.mark.parametrize("error", [DeniedUrl, UnreachableUrl, UnsupportedFile])
    def test_a_failure_is_told(self, fetch, error):
        with pytest.raises(error):
            fetch(error())


def test_a_server_is_asked_by_what_it_said_wherever_it_leads(plain):
    page = FetchedContent(b"hello", "text/plain", Validators('"7"', CHANGED))
    plain.answers["/page"] = 302, {"Location": "/next"}, b""
    plain.answers["/next"] = versioned(page)
    assert web(plain).fetch(at(plain), max_bytes=9) == page
    assert web(plain).fetch(at(plain), max_bytes=9, known=page.validators) is None
    first, *_, last = [headers for _, headers in plain.asked]
    assert not {"If-None-Match", "If-Modified-Since"} & set(first)
    assert (last["If-None-Match"], last["If-Modified-Since"]) == ('"7"', CHANGED)


@pytest.mark.parametrize("path", ["/page", "/leads"])
def test_who_says_unasked_that_nothing_changed_has_refused(plain, path):
    plain.answers["/page"] = 304, {"ETag": '"1"'}, b""
    plain.answers["/leads"] = 302, {"Location": "/page"}, b""
    with pytest.raises(DeniedUrl, match="304"):
        web(plain).fetch(at(plain, path), max_bytes=9)


@pytest.mark.parametrize(
    ("etag", "kept"),
    [
        ('"7"', True),
        ('W/"7"', True),
        ('""', True),
        ('"' + "x" * 200 + '"', True),
        ('"' + "x" * 201 + '"', False),
        ('"' + "x" * 60_000 + '"', False),
        ("7", False),
        ("", False),
        ("*", False),
        ('"7", "8"', False),
        ('"a b"', False),
        ('"7"\r\nX-Evil: 1', False),
        ('"7\r\nX-Evil: 1"', False),
        ('"7"\n', False),
        ('"\x00"', False),
        ('"\x7f"', False),
        ('"é"', False),
        (None, False),
    ],
)
def test_only_an_entity_tag_of_some_length_is_ever_sent_back(etag, kept):
    assert Validators.of(etag, None) == Validators(etag if kept else None)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (CHANGED, CHANGED),
        ("Wed, 1 Jul 2026 06:00:00 GMT", CHANGED),
        ("Wed, 01 Jul 2026 06:00:00 GMT\r\nX-Evil: 1", CHANGED),  # written anew
        ("Wed, 01 Jul 2026 08:00:00 +0200", None),
        ("Wed, 01 Jul 99999999999999999999 06:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_date_is_ever_sent_back(said, kept):
    assert Validators.of(None, said).last_modified == kept


@given(st.text(), st.text())
def test_what_is_sent_back_is_a_header_whatever_was_said(etag, last_modified):
    found = Validators.of(etag, last_modified)
    for value in (found.etag, found.last_modified):
        assert value is None or (value.isascii() and value.isprintable() and len(value) <= 204)


@pytest.mark.parametrize("line", ["ETag: " + '"' + "x" * 500_000 + '"', 'ETag: "a\nb"', "ETag: \xff\xfe"])
def test_a_server_with_a_hostile_entity_tag_is_read_without_it_or_not_at_all(plain, line):
    def answer(handler):
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{line}\r\n".encode("latin-1"))
        handler.wfile.write(b"Content-Length: 5\r\nConnection: close\r\n\r\nhello")
        handler.close_connection = True

    plain.answers["/page"] = answer
    with suppress(UnreachableUrl):
        assert web(plain).fetch(at(plain), max_bytes=9) == FetchedContent(b"hello", "text/plain")


def test_a_page_that_nobody_wrote_is_not_there():
    with pytest.raises(UnreachableUrl):
        MemoryWeb({}).fetch("https://docs.example.org/", max_bytes=1)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://localhost/", "http://u:p@docs.example.org/"])
def test_memory_refuses_what_the_web_refuses(url):
    with pytest.raises(RefusedUrl):
        MemoryWeb({}).fetch(url, max_bytes=1)


def test_the_product_s_web_is_the_public_one():
    made = Services(Settings()).web
    assert made._is_permitted is is_public
    assert made._resolve is resolve
    assert made._ports == {"http": 80, "https": 443}
    assert made._ssl_context is None
    assert not {name for name in Settings.model_fields if "permit" in name or "resolve" in name}


def test_it_carries_nothing_of_this_machine(plain, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text(f"machine {HOST} login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    plain.answers["/page"] = 302, {"Set-Cookie": "a=b", "Location": "/next?x=1#part"}, b""
    plain.answers["/next"] = 200, {"Content-Type": "text/plain"}, b"hello"
    assert web(plain).fetch(at(plain), max_bytes=9).content == b"hello"
    (_, first), (path, second) = plain.asked
    assert path == "/next?x=1"
    for headers in (first, second):
        assert headers["Host"] == f"{HOST}:{plain.server_port}"
        assert headers["Accept-Encoding"] == "identity"
        assert headers["User-Agent"].startswith("Modulo/")
        assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://docs.example.org/",
        "gopher://docs.example.org/",
        "data:text/plain,hello",
        "//docs.example.org/",
        "http:///page",
        "http://",
        "",
        "docs.example.org",
        "http://user@docs.example.org/",
        "http://user:secret@docs.example.org/",
        "http://docs.example.org:22/",
        "http://docs.example.org:443/",
        "https://docs.example.org:80/",
        "http://docs.example.org:99999/",
        "http://docs.example.org:-1/",
        "http://localhost/",
        "http://metadata/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1.1/",
        "http://docs.example.0x7f/",
        "http://[::ffff:127.0.0.1]:81/",
        "http://[fe80::1%25eth0]/",
        "http://[::1",
        "http://-docs.example.org/",
        "http://docs..example.org/",
        "http://docs.example.org\x00.evil/",
        "http://docs.example.org\r\nHost: evil/",
        "http://docs.example.org\\@evil.org/",
        "http://docs_example.org:80:80/",
        "http://docs.example.org /",
        "http://" + "a" * 64 + ".org/",
        "http://docs.example.org/" + "x" * 3_000,
    ],
)
def test_no_such_address_is_ever_looked_up(url):
    names = Names()
    with pytest.raises(ModuloError):
        require_public_url(url)
    if len(url) < 2_000 and "\\" not in url and " " not in url:  # which only the endpoint refuses
        with pytest.raises(RefusedUrl):
            web(names=names, permitted=lambda address: False).fetch(url, max_bytes=9)
        assert names.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1"),
        *("198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.255.255.250"),
        *("240.0.0.1", "255.255.255.255", "168.63.129.16", "1.2.3.4.5", "", "x", "127.0.0.1%lo"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001:db8::1"),
        *("2001:10::1", "2001:20::1", "3fff::1", "5f00::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
        *("fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1"),
    ],
)
def test_addresses_that_are_not_public(plain, address):
    assert not is_public(address)
    names = Names({HOST: [address]})
    with pytest.raises(RefusedUrl):
        web(plain, names=names, permitted=is_public).fetch(at(plain), max_bytes=9)
    assert plain.asked == []


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_addresses_that_are(address):
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(ip):
    if is_public(str(ip)):
        assert ip.is_global
        flags = (ip.is_private, ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_reserved)
        assert not any(flags)
        assert getattr(ip, "ipv4_mapped", None) is None
        assert getattr(ip, "sixtofour", None) is None
        assert getattr(ip, "teredo", None) is None


@given(st.ip_addresses(v=4))
def test_no_address_becomes_public_by_being_wrapped(ip):
    number = int(ip)
    for prefix in ("::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number)))
    assert not is_public(str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2002::")) | number << 80)))


def test_a_name_that_is_public_in_part_is_refused(plain):
    names = Names({HOST: [HERE, "10.0.0.1"]})
    with pytest.raises(RefusedUrl):
        web(plain, names=names).fetch(at(plain), max_bytes=9)
    assert plain.asked == []
    with pytest.raises(RefusedUrl):
        web(plain, names=lambda host, port: []).fetch(at(plain), max_bytes=9)


def test_a_name_that_leads_elsewhere_the_second_time_is_looked_up_once(plain):
    """DNS rebinding: a second look-up would lead to the machine's own network."""
    plain.answers["/page"] = 200, {}, b"hello"
    answers = iter([[HERE], ["169.254.169.254"]])
    assert web(plain, names=lambda host, port: next(answers)).fetch(at(plain), max_bytes=9).content == b"hello"
    assert next(answers) == ["169.254.169.254"]


def test_another_address_of_the_name_is_tried(plain):
    plain.answers["/page"] = 200, {}, b"hello"
    names = Names({HOST: ["127.0.0.9", HERE]})
    assert web(plain, names=names, permitted=lambda _: True).fetch(at(plain), max_bytes=9).content == b"hello"


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://internal.example.org/",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
        "http://localhost/",
        "file:///etc/passwd",
        "gopher://docs.example.org/",
        "http://me:secret@docs.example.org/",
        "http://docs.example.org:22/",
        "//internal.example.org/",
        "http://[",
        "http://docs.example.org:port/",
    ],
)
def test_no_redirect_leads_where_an_address_may_not(plain, location):
    port = plain.server_port
    plain.answers["/page"] = 302, {"Location": location.replace(".org/", f".org:{port}/")}, b""
    names = Names({"internal.example.org": ["10.0.0.7"]})
    with pytest.raises(RefusedUrl):
        web(plain, names=names).fetch(at(plain), max_bytes=9)
    assert len(plain.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_for_a_while(plain, status):
    for number in range(MAX_REDIRECTS):
        plain.answers[f"/{number}"] = (
            status,
            {"Location": f"http://h{number + 1}.example.org:{plain.server_port}/{number + 1}"},
            b"",
        )
    plain.answers[f"/{MAX_REDIRECTS}"] = 200, {}, b"hello"
    names = Names()
    assert web(plain, names=names).fetch(at(plain, "/0"), max_bytes=9).content == b"hello"
    assert len(names.asked) == MAX_REDIRECTS + 1
    plain.answers[f"/{MAX_REDIRECTS}"] = status, {"Location": "/0"}, b""
    with pytest.raises(RefusedUrl, match="more than"):
        web(plain).fetch(at(plain, "/0"), max_bytes=9)


def test_a_redirect_to_nowhere_is_the_server_s_refusal(plain):
    plain.answers["/page"] = 302, {}, b""
    with pytest.raises(DeniedUrl):
        web(plain).fetch(at(plain), max_bytes=9)


def test_a_certificate_must_be_the_name_s(plain, secure, authority):
    secure.answers["/page"] = 200, {}, b"hello"
    fetched = web(plain, secure, authority=authority).fetch(at(secure, scheme="https"), max_bytes=9)
    assert fetched.content == b"hello"
    for client, host in [(web(secure=secure, authority=authority), "other.example.org"), (web(secure=secure), HOST)]:
        with pytest.raises(UnreachableUrl):
            client.fetch(at(secure, scheme="https", host=host), max_bytes=9)
    assert len(secure.asked) == 1


def test_https_never_becomes_http(plain, secure, authority):
    secure.answers["/page"] = 302, {"Location": at(plain)}, b""
    with pytest.raises(RefusedUrl, match="plain http"):
        web(plain, secure, authority=authority).fetch(at(secure, scheme="https"), max_bytes=9)
    plain.answers["/page"] = 302, {"Location": at(secure, "/end", scheme="https")}, b""
    secure.answers["/end"] = 200, {}, b"hello"
    assert web(plain, secure, authority=authority).fetch(at(plain), max_bytes=9).content == b"hello"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_passes_can_be_tried_again(plain, status):
    plain.answers["/page"] = status, {}, b""
    with pytest.raises(UnreachableUrl) as caught:
        web(plain).fetch(at(plain), max_bytes=9)
    assert caught.value.retryable


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 451])
def test_what_the_server_refuses_cannot(plain, status):
    plain.answers["/page"] = status, {}, b""
    with pytest.raises(DeniedUrl, match=str(status)):
        web(plain).fetch(at(plain), max_bytes=9)


@pytest.mark.parametrize(
    "media_type", ["image/png", "video/mp4", "application/x-tar", "application/xml", "x", "a" * 500]
)
def test_what_is_no_document_is_not_read(plain, media_type):
    plain.answers["/page"] = 200, {"Content-Type": media_type}, b"x" * 1_000
    with pytest.raises(UnsupportedFile) as caught:
        web(plain).fetch(at(plain), max_bytes=9)
    assert len(caught.value.detail) < 200
    assert not may_be_readable(media_type)


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "x, gzip"])
def test_what_is_packed_is_not_unpacked(plain, coding):
    plain.answers["/page"] = 200, {"Content-Encoding": coding}, b"x" * 1_000
    with pytest.raises(RefusedUrl):
        web(plain).fetch(at(plain), max_bytes=2_000)


def test_an_endless_answer_is_cut_off(plain):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        block = b"x" * 1_000
        while True:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))

    plain.answers["/page"] = endless
    with pytest.raises(OversizedFile):
        web(plain).fetch(at(plain), max_bytes=100_000)


def test_an_announced_size_is_enough_to_refuse(plain):
    def announced(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()

    plain.answers["/page"] = announced
    with pytest.raises(OversizedFile):
        web(plain).fetch(at(plain), max_bytes=100)


def dripping(prefix):
    def drip(handler):
        handler.wfile.write(prefix)
        for _ in range(1_000):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.02)

    return drip


@pytest.mark.parametrize(
    "prefix",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b""],
    ids=["headers", "body", "nothing"],
)
def test_who_sends_a_byte_now_and_then_is_not_waited_for(plain, prefix):
    plain.answers["/page"] = dripping(prefix)
    with pytest.raises(UnreachableUrl):
        web(plain, total=0.3).fetch(at(plain), max_bytes=100_000)


def test_who_is_silent_is_not_waited_for(plain):
    go_on = threading.Event()
    plain.answers["/page"] = lambda handler: go_on.wait(10)
    with pytest.raises(UnreachableUrl):
        web(plain, read=0.1).fetch(at(plain), max_bytes=9)
    go_on.set()


def test_a_chain_of_slow_hops_has_one_time_for_all(plain):
    def slow(handler):
        time.sleep(0.15)
        handler.send_response(302)
        handler.send_header("Location", "/page")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    plain.answers["/page"] = slow
    with pytest.raises(UnreachableUrl, match="too long"):
        web(plain, total=0.3).fetch(at(plain), max_bytes=9)
    assert len(plain.asked) < MAX_REDIRECTS + 1


def test_time_that_is_up_before_a_hop_is_up():
    with pytest.raises(UnreachableUrl, match="too long"):
        web(total=0).fetch("http://docs.example.org/", max_bytes=9)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" * 9])
def test_what_does_not_speak_http_does_not_answer(plain, answer):
    def speak(handler):
        handler.wfile.write(answer)
        handler.close_connection = True

    plain.answers["/page"] = speak
    with pytest.raises(UnreachableUrl):
        web(plain).fetch(at(plain), max_bytes=9)


def test_who_hangs_up_in_the_middle_did_not_answer(plain):
    def part(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
        handler.close_connection = True

    plain.answers["/page"] = part
    with pytest.raises(UnreachableUrl):
        web(plain).fetch(at(plain), max_bytes=90)


def test_nobody_at_the_address(plain):
    port = plain.server_port
    plain.shutdown()
    plain.socket.close()
    with pytest.raises(UnreachableUrl):
        HttpxWeb(resolve=Names(), is_permitted=lambda _: True, ports={"http": port}).fetch(
            f"http://{HOST}:{port}/", max_bytes=9
        )


def test_names_are_looked_up_by_the_system(monkeypatch):
    found = [(0, 0, 0, "", ("1.2.3.4", 80)), (0, 0, 0, "", ("1.2.3.4", 80)), (0, 0, 0, "", ("2606::1", 80, 0, 0))]
    monkeypatch.setattr(httpx_web, "getaddrinfo", lambda *_, **__: found)
    assert resolve(HOST, 80) == ["1.2.3.4", "2606::1"]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such name"), DeniedUrl),
        (UnicodeError("label too long"), DeniedUrl),
        (socket.gaierror(socket.EAI_AGAIN, "no answer"), UnreachableUrl),
    ],
)
def test_a_name_that_nobody_has_is_not_looked_up_again(monkeypatch, failure, error):
    def fails(*_, **__):
        raise failure

    monkeypatch.setattr(httpx_web, "getaddrinfo", fails)
    with pytest.raises(error, match=HOST):
        resolve(HOST, 80)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://docs.example.org/a/report.pdf?x=1#y", "report.pdf"),
        ("https://docs.example.org/a/R%C3%A9sum%C3%A9.docx", "Résumé.docx"),
        ("https://en.example.org/wiki/Moon", "Moon"),
        ("https://docs.example.org/", "docs.example.org.html"),
        ("https://docs.example.org", "docs.example.org.html"),
        ("https://docs.example.org/guide/", "docs.example.org - guide.html"),
        ("https://docs.example.org/index.php", "docs.example.org.html"),
        ("https://www.example.org/docs/index.html", "example.org - docs.html"),
        ("https://www.example.org/docs/index.pdf", "example.org - docs.pdf"),
        ("https://docs.example.org/view.php", "view.php.html"),
        ("https://docs.example.org/view.php?id=7", "docs.example.org - view - id=7.html"),
        ("https://docs.example.org/?page=2&utm_source=mail&api_key=s3cr3t", "docs.example.org - page=2.html"),
        (
            "https://docs.example.org/get?q=snow+in+July&X-Amz-Signature=00ff",
            "docs.example.org - get - q=snow in July.html",
        ),
        ("https://docs.example.org/?long=" + "x" * 99, "docs.example.org.html"),
        ("https://docs.example.org/item/12345", "docs.example.org - item - 12345.html"),
        ("https://docs.example.org/2026/07/", "docs.example.org - 2026 - 07.html"),
        ("https://docs.example.org/%E6%9C%88/", "docs.example.org - 月.html"),
        ("https://docs.example.org/%E6%9C%88", "月"),
        ("https://docs.example.org/a/R%E9sum%E9.docx", "Résumé.docx"),
        ("https://xn--mnchen-3ya.example/", "münchen.example.html"),
        ("https://xn--0.example/", "xn--0.example.html"),
        ("https://docs.example.org/" + "x/" * 400, ("docs.example.org" + " - x" * 99)[:250].rstrip() + ".html"),
        ("https://docs.example.org/v1.2", "v1.2.html"),
        ("https://docs.example.org/x%2Fy%00", "docs.example.org.html"),
        ("https://docs.example.org/%FF", "ÿ"),
        ("https://docs.example.org/%81", "docs.example.org.html"),
        ("https://docs.example.org/" + "x" * 999, "x" * 250),
    ],
)
def test_what_a_page_is_called(url, name):
    assert name_from_url(require_public_url(url)) == name


@given(st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), max_size=300))
def test_every_address_has_a_name(path):
    try:
        url = require_public_url(f"https://docs.example.org/{path}")
    except ModuloError:
        return
    assert 0 < len(name_from_url(url)) <= 255
