"""Bearer tokens against a real issuer on this machine."""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from modulo.adapters import oidc_signing_keys
from modulo.adapters.oidc_tokens import OidcTokens
from modulo.domain.errors import Unauthenticated, Unavailable
from modulo.domain.tenancy.identity import Scope

AUDIENCE = "modulo-api"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class Issuer:
    """Publishes its keys as OpenID Connect wants it, and counts who asks."""

    def __init__(self):
        self.keys = [jwk("rsa-1", RSA_KEY, "RS256"), jwk("ec-1", EC_KEY, "ES256")]
        self.fetched = 0
        self.asked = 0
        self.broken = False
        self.answers = threading.Event()
        self.answers.set()
        self.asked_while_hanging = threading.Event()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                if not issuer.answers.is_set():
                    issuer.asked_while_hanging.set()
                    issuer.answers.wait(30)
                if issuer.broken:
                    self.send_error(500)
                    return
                if self.path == "/.well-known/openid-configuration":
                    body = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"}
                else:
                    issuer.fetched += 1
                    body = {"keys": issuer.keys}
                content = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def token(self, key=RSA_KEY, kid="rsa-1", algorithm="RS256", **changed):
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "ada",
            "tenant": "acme",
            "scope": "openid read write",
            "iat": now,
            "exp": now + 300,
        } | changed
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def jwk(kid, key, algorithm):
    kind = jwt.algorithms.RSAAlgorithm if algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.answers.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def tokens(issuer):
    return OidcTokens(issuer=issuer.url, audience=AUDIENCE, algorithms=["RS256", "ES256"], tenant_claim="tenant")


def test_a_valid_token_names_tenant_user_and_scopes(issuer, tokens):
    ada = tokens.principal(issuer.token())
    assert ada.scopes == {Scope.read, Scope.write}
    assert tokens.principal(issuer.token(scope="read")).scopes == {Scope.read}
    assert tokens.principal(issuer.token(scope=None)).scopes == frozenset()
    for told in ("read other", ["read", "other", 1, {}]):
        assert tokens.principal(issuer.token(scope=None, scp=told)).scopes == {Scope.read}
    assert tokens.principal(issuer.token(scope="read", scp="write")).scopes == {Scope.read}
    bob = tokens.principal(issuer.token(sub="bob"))
    assert (bob.tenant_id, bob.user_id) == (ada.tenant_id, bob.user_id)
    assert bob.user_id != ada.user_id
    assert tokens.principal(issuer.token(tenant="other")).tenant_id != ada.tenant_id
    assert tokens.principal(issuer.token(EC_KEY, "ec-1", "ES256")) == ada
    assert issuer.fetched == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"aud": "another-api"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"tenant": None},
        {"tenant": ""},
        {"tenant": ["acme"]},
        {"key": OTHER_KEY},
        {"kid": "unknown"},
        {"algorithm": "RS512"},
    ],
    ids=lambda changed: "-".join(
        f"{name}={value}" if isinstance(value, str) else name for name, value in changed.items()
    ),
)
def test_any_other_token_is_refused(issuer, tokens, changed):
    with pytest.raises(Unauthenticated):
        tokens.principal(issuer.token(**changed))


def test_unsigned_and_confused_tokens_are_refused(issuer, tokens):
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "rsa-1"})
    symmetric = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": "rsa-1"})
    tampered = issuer.token()[:-6] + "AAAAAA"
    for token in [unsigned, symmetric, tampered, "", "a.b.c", "nonsense"]:
        with pytest.raises(Unauthenticated):
            tokens.principal(token)


def test_forged_key_ids_do_not_hammer_the_issuer(issuer, tokens):
    tokens.principal(issuer.token())
    for number in range(20):
        with pytest.raises(Unauthenticated):
            tokens.principal(issuer.token(kid=f"forged-{number}"))
    assert issuer.fetched == 1


def test_a_rotated_key_is_fetched(issuer, tokens, monkeypatch):
    tokens.principal(issuer.token())
    issuer.keys = [jwk("rsa-2", OTHER_KEY, "RS256")]
    monkeypatch.setattr(oidc_signing_keys, "REFRESH_SECONDS", 0)
    assert tokens.principal(issuer.token(OTHER_KEY, "rsa-2"))
    with pytest.raises(Unauthenticated):
        tokens.principal(issuer.token())


def test_an_issuer_that_fails_is_a_503_not_a_401(issuer, tokens, monkeypatch):
    issuer.broken = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            tokens.principal(issuer.token())
    assert issuer.asked == 1, "a failed fetch counts"
    issuer.broken = False
    monkeypatch.setattr(oidc_signing_keys, "RETRY_SECONDS", 0)
    assert tokens.principal(issuer.token())


def test_a_token_whose_key_is_cached_waits_for_no_fetch(issuer, tokens, monkeypatch):
    """Forged key ids while the issuer hangs share one fetch, few wait for it, and valid tokens wait for nothing."""
    ada = tokens.principal(issuer.token())
    monkeypatch.setattr(oidc_signing_keys, "REFRESH_SECONDS", 0)
    issuer.answers.clear()
    refused = []

    def forge(number):
        try:
            tokens.principal(issuer.token(kid=f"forged-{number}"))
        except (Unauthenticated, Unavailable) as error:
            refused.append(error)

    threads = [threading.Thread(target=forge, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    assert issuer.asked_while_hanging.wait(60)
    most = len(threads) - oidc_signing_keys.MAX_WAITING
    until = time.monotonic() + 60
    while len(refused) < most and time.monotonic() < until:
        time.sleep(0.01)
    assert len(refused) == most, "those beyond the limit are refused at once"
    assert {type(error) for error in refused} == {Unavailable}
    asked = issuer.asked
    assert [tokens.principal(issuer.token()) for _ in range(10)] == [ada] * 10
    assert not issuer.answers.is_set()
    assert issuer.asked == asked == 3, "discovery and keys at first, then one fetch for all"
    issuer.answers.set()
    for thread in threads:
        thread.join(60)
    assert len(refused) == len(threads)


@pytest.mark.parametrize("failure", ["hangs", "fails"])
def test_keys_outlast_an_issuer_that_does_not_answer_but_not_for_ever(issuer, tokens, monkeypatch, failure):
    ada = tokens.principal(issuer.token())
    monkeypatch.setattr(oidc_signing_keys, "FRESH_SECONDS", -1)
    monkeypatch.setattr(oidc_signing_keys, "REFRESH_SECONDS", 0)
    if failure == "hangs":
        issuer.answers.clear()
    issuer.broken = True
    assert [tokens.principal(issuer.token()) for _ in range(5)] == [ada] * 5
    monkeypatch.setattr(oidc_signing_keys, "STALE_SECONDS", -1)
    monkeypatch.setattr(oidc_signing_keys, "FETCH_SECONDS", 0.2)
    with pytest.raises(Unavailable):
        tokens.principal(issuer.token())


def test_keys_are_refreshed_in_the_background(issuer, tokens, monkeypatch):
    tokens.principal(issuer.token())
    monkeypatch.setattr(oidc_signing_keys, "FRESH_SECONDS", -1)
    monkeypatch.setattr(oidc_signing_keys, "REFRESH_SECONDS", 0)
    issuer.keys = [jwk("rsa-2", OTHER_KEY, "RS256")]
    assert tokens.principal(issuer.token()), "the cached key, while the new ones are fetched"
    assert tokens.principal(issuer.token(OTHER_KEY, "rsa-2"))
    with pytest.raises(Unauthenticated):
        tokens.principal(issuer.token())


@pytest.mark.parametrize(
    "answer", [b"[]", b"{", b"{}", b'{"keys": 1}', b"\xff", b"x" * (oidc_signing_keys.MAX_BYTES + 1)]
)
def test_an_answer_that_is_no_key_set_is_a_503(issuer, answer, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_answering(answer))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/keys"
    tokens = OidcTokens(issuer=issuer.url, audience=AUDIENCE, algorithms=["RS256"], tenant_claim="t", jwks_url=url)
    with pytest.raises(Unavailable):
        tokens.principal(issuer.token())
    server.shutdown()
    server.server_close()


def handler_answering(content):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    return Handler


def test_a_discovery_document_of_another_issuer_is_refused(issuer):
    moved = OidcTokens(issuer=issuer.url + "/", audience=AUDIENCE, algorithms=["RS256"], tenant_claim="tenant")
    with pytest.raises(Unavailable):
        moved.principal(issuer.token(iss=issuer.url + "/"))


def test_a_token_tells_when_it_ends(issuer, tokens):
    end = datetime(2099, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert tokens.expires_at(issuer.token(exp=end)) == end
    with pytest.raises(Unauthenticated):
        tokens.expires_at(issuer.token(exp=datetime(2020, 1, 1, tzinfo=UTC)))


def test_a_token_tells_who_it_was_issued_to(issuer):
    tokens = OidcTokens(issuer=issuer.url, audience=AUDIENCE, algorithms=["RS256"], tenant_claim="tenant")
    sender = "system:serviceaccount:modulo:uploads"
    assert tokens.subject(issuer.token(sub=sender, tenant=None, scope=None)) == sender
    for forged in (issuer.token(key=OTHER_KEY), issuer.token(aud="another"), issuer.token(sub=None)):
        with pytest.raises(Unauthenticated):
            tokens.subject(forged)
