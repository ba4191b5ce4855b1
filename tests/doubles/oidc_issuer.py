"""An OpenID Connect issuer that is as strict as a good one: authorization code with PKCE, refresh tokens that rotate.

It serves a page where a person allows or declines, and takes nothing that the standards forbid: another redirect
address, a code twice, a wrong verifier, a refresh token that was replaced, a page of another origin.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SECONDS: Final = 300
KEY_ID: Final = "signing-1"


class Refusal(Exception):
    """A request that the standards forbid: the code of the error, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed."""

    user: str
    scope: str
    nonce: str
    challenge: str
    redirect_uri: str


@dataclass(slots=True)
class OidcIssuer:
    """An issuer with one public client, on a port of this machine.

    Attributes:
        redirect_uri: the one address of the client.
        refreshes: whether it issues refresh tokens.
        problem: an error that it answers instead of asking the person.
        wrong_nonce: whether its ID tokens are for another sign-in.
        token_endpoint: the one that its discovery document names, if not its own.
        asked: the paths that were asked for, in order.
        faults: what was refused, and why.
    """

    client_id: str
    audience: str
    tenant: str
    redirect_uri: str = ""
    refreshes: bool = True
    problem: str = ""
    wrong_nonce: bool = False
    token_endpoint: str = ""
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _refresh_tokens: dict[str, Grant] = field(default_factory=dict)
    _sessions: dict[str, str] = field(default_factory=dict)
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    _server: ThreadingHTTPServer = field(init=False)
    _token_server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        issuer = self

        class Handler(_Handler):
            def answer(self, given: dict[str, str]) -> None:
                issuer._answer(self, given)

        self._server, self._token_server = (ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2))
        for server in (self._server, self._token_server):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._server, self._token_server):
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        """Its name, at which it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def token_origin(self) -> str:
        """Another origin at which it issues tokens too."""
        return f"http://127.0.0.1:{self._token_server.server_port}"

    def access_token(self, user: str, scope: str = "openid read write", seconds: int = SECONDS) -> str:
        """An access token; with a negative time, one that has expired."""
        return self._signed({"aud": self.audience, "sub": user, "tenant": self.tenant, "scope": scope}, seconds)

    def end_grants(self) -> None:
        """Take back every refresh token, as where an account is locked."""
        self._refresh_tokens.clear()

    def _signed(self, claims: dict[str, Any], seconds: int = SECONDS) -> str:
        now = int(time.time())
        only = {"jti": secrets.token_hex()}  # two of the same second differ
        return jwt.encode(
            {"iss": self.url, "iat": now, "exp": now + seconds, **only, **claims},
            self._key,
            algorithm="RS256",
            headers={"kid": KEY_ID},
        )

    def _answer(self, exchange: _Handler, given: dict[str, str]) -> None:
        path = urlsplit(exchange.path).path
        self.asked.append(f"{exchange.command} {path}")
        if exchange.server is self._token_server:
            self.asked.append(f"{exchange.command} {self.token_origin}{path}")
        routes = {
            "GET /.well-known/openid-configuration": self._described,
            "GET /keys": self._keys,
            "GET /authorize": self._authorize,
            "POST /authorize": self._decided,
            "POST /token": self._token,
            "GET /end": self._end,
        }
        try:
            routes[f"{exchange.command} {path}"](exchange, given)
        except KeyError:
            exchange.send(HTTPStatus.NOT_FOUND)
        except Refusal as refusal:
            error, description = refusal.args
            self.faults.append(f"{error}: {description}")
            exchange.send_json({"error": error, "error_description": description}, HTTPStatus.BAD_REQUEST)

    def _described(self, exchange: _Handler, _: dict[str, str]) -> None:
        exchange.send_json(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": self.token_endpoint or f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/end",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def _keys(self, exchange: _Handler, _: dict[str, str]) -> None:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        exchange.send_json({"keys": [{**key, "kid": KEY_ID, "alg": "RS256", "use": "sig"}]})

    def _authorize(self, exchange: _Handler, given: dict[str, str]) -> None:
        self._check_request(given)
        if self.problem:
            self._send_back(exchange, given, {"error": self.problem, "error_description": "the issuer is being mended"})
            return
        user = self._sessions.get(exchange.cookie("session"))
        if user:  # who is signed in here already is not asked again
            self._allow(exchange, given, user)
            return
        kept = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in given.items()
        )
        exchange.send_page(
            f'<h1>Sign in</h1><form method="post" action="/authorize">{kept}<label>User <input name="user" required>'
            '</label><button name="decision" value="allow">Allow</button>'
            '<button name="decision" value="decline" formnovalidate>Decline</button></form>'
        )

    def _decided(self, exchange: _Handler, given: dict[str, str]) -> None:
        self._check_request(given)
        if given.get("decision") == "allow":
            self._allow(exchange, given, given["user"])
        else:
            self._send_back(exchange, given, {"error": "access_denied"})

    def _check_request(self, given: dict[str, str]) -> None:
        _require(given.get("client_id") == self.client_id, "unauthorized_client", "the client is unknown")
        _require(given.get("redirect_uri") == self.redirect_uri, "invalid_request", "the redirect address is unknown")
        _require(given.get("response_type") == "code", "unsupported_response_type", "only code")
        _require("openid" in given.get("scope", "").split(), "invalid_scope", "openid is missing")
        _require(given.get("audience") == self.audience, "invalid_request", "the audience is unknown")
        _require(given.get("code_challenge_method") == "S256", "invalid_request", "only S256")
        _require(len(given.get("code_challenge", "")) == 43, "invalid_request", "the challenge is no SHA-256")
        for name in ("state", "nonce"):
            _require(len(given.get(name, "")) >= 16, "invalid_request", f"{name} can be guessed")

    def _allow(self, exchange: _Handler, given: dict[str, str], user: str) -> None:
        code, session = secrets.token_urlsafe(), secrets.token_urlsafe()
        self._sessions[session] = user
        self._codes[code] = Grant(user, given["scope"], given["nonce"], given["code_challenge"], given["redirect_uri"])
        self._send_back(exchange, given, {"code": code}, session)

    def _send_back(self, exchange: _Handler, given: dict[str, str], told: dict[str, str], session: str = "") -> None:
        query = urlencode({**told, "state": given["state"], "iss": self.url})
        cookie = {"Set-Cookie": f"session={session}; Path=/; HttpOnly; SameSite=Lax"} if session else {}
        exchange.send(HTTPStatus.SEE_OTHER, headers={"Location": f"{self.redirect_uri}?{query}", **cookie})

    def _token(self, exchange: _Handler, given: dict[str, str]) -> None:
        own = "{0.scheme}://{0.netloc}".format(urlsplit(self.redirect_uri))
        _require(exchange.headers.get("Origin") == own, "invalid_request", "a page of another origin asks")
        _require(given.get("client_id") == self.client_id, "invalid_client", "the client is unknown")
        _require("client_secret" not in given, "invalid_client", "a page can keep no secret")
        if given.get("grant_type") == "authorization_code":
            grant = self._codes.pop(given.get("code", ""), None)
            if grant is None:
                raise Refusal("invalid_grant", "the code is unknown or was used")
            _require(given.get("redirect_uri") == grant.redirect_uri, "invalid_grant", "another redirect address")
            digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            _require(challenge == grant.challenge, "invalid_grant", "the verifier is wrong")
        else:
            _require(given.get("grant_type") == "refresh_token", "unsupported_grant_type", "unknown")
            grant = self._refresh_tokens.pop(given.get("refresh_token", ""), None)
            if grant is None:
                raise Refusal("invalid_grant", "the refresh token is unknown or was used")
        exchange.send_json(self._issued(grant))

    def _issued(self, grant: Grant) -> dict[str, Any]:
        nonce = "of another sign-in" if self.wrong_nonce else grant.nonce
        issued: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": SECONDS,
            "scope": grant.scope,
            "access_token": self.access_token(grant.user, grant.scope),
            "id_token": self._signed({"aud": self.client_id, "sub": grant.user, "nonce": nonce}),
        }
        if self.refreshes:
            issued["refresh_token"] = secrets.token_urlsafe()
            self._refresh_tokens[issued["refresh_token"]] = grant
        return issued

    def _end(self, exchange: _Handler, given: dict[str, str]) -> None:
        hint = given.get("id_token_hint", "")
        jwt.decode(hint, self._key.public_key(), algorithms=["RS256"], audience=self.client_id, issuer=self.url)
        address = given.get("post_logout_redirect_uri")
        _require(address == self.redirect_uri, "invalid_request", "the redirect address is unknown")
        self._sessions.pop(exchange.cookie("session"), None)
        exchange.send(HTTPStatus.SEE_OTHER, headers={"Location": self.redirect_uri})


def _require(holds: bool, error: str, description: str) -> None:
    if not holds:
        raise Refusal(error, description)


class _Handler(BaseHTTPRequestHandler):
    """One exchange, with what pages of other origins need to read the answers."""

    def answer(self, given: dict[str, str]) -> None:
        raise NotImplementedError

    def do_GET(self) -> None:
        self.answer(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(dict(parse_qsl(body.decode())))

    def cookie(self, name: str) -> str:
        pairs = (each.strip().split("=", 1) for each in self.headers.get("Cookie", "").split(";") if "=" in each)
        return dict(pairs).get(name, "")

    def send(self, status: HTTPStatus, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def send_json(self, content: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        # Public documents, and tokens that only who has the code gets: any page may read the answer to its request.
        headers = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        self.send(status, json.dumps(content).encode(), headers)

    def send_page(self, content: str) -> None:
        page = f'<!doctype html><html lang="en"><title>Issuer</title><link rel="icon" href="data:,">{content}</html>'
        self.send(HTTPStatus.OK, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def log_message(self, *_: object) -> None:
        """Print nothing."""
