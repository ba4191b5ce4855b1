"""One-time links that sign a browser in: of `modulo up`, and of a `modulo serve` with SIGN_IN_FOLDER.

A link is `<address>/#signin=<code>`. Browsers send no fragment, so no server and no log sees the code in an address.
The console takes the code out of the address bar at once (`history.replaceState`) and exchanges it:

    POST /api/sign-in   {"code": "<code>"}
    200                 {"api_key": "mod_…", "expires_at": "2026-12-30T12:00:00Z"}
    401                 the link is unknown, was used, or is older than 15 minutes: ask for a key
    404                 the server offers no links

The key is one of the link's user, made by the exchange; the console keeps it like one that was typed in.

A code is 256 random bits. Its file is named by the code's SHA-256 and holds the tenant and the user, never the code;
whoever removes the file has claimed the code, so of many processes only one can.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from modulo.cli.stack.service import write_private
from modulo.domain.errors import Unauthenticated
from modulo.runtime.admin.keys import create_key
from modulo.runtime.problems import responses
from modulo.runtime.strict_route import StrictRoute
from modulo.runtime.threads import run

LINK_MINUTES: Final = 15
KEY_DAYS: Final = 30
"""How long the key of a browser is valid."""
KEY_NAME: Final = "sign-in link"
REFUSED: Final = "The link is unknown, was used, or has expired: ask for a new one, or sign in with an API key."


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SignInLinks:
    """The codes that are still to be used, in a folder that only its owner enters."""

    folder: Path
    now: Callable[[], datetime] = _utc_now

    def create(self, tenant: str, user: str) -> str:
        """A new code for a user; those that have expired are forgotten."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget_expired()
        code = secrets.token_urlsafe(32)
        expires_at = self.now() + timedelta(minutes=LINK_MINUTES)
        known = {"tenant": tenant, "user": user, "expires_at": expires_at.isoformat()}
        write_private(self._path(code), json.dumps(known))
        return code

    def claim(self, code: str) -> tuple[str, str]:
        """The tenant and the user of a code, which cannot be used again.

        Raises:
            Unauthenticated: it is unknown, was used, or has expired.
        """
        path = self._path(code)
        mine = path.with_suffix(f".{secrets.token_hex(8)}")
        try:
            path.rename(mine)  # of several at once, one succeeds
            known = json.loads(mine.read_text())
            mine.unlink()
        except FileNotFoundError:
            raise Unauthenticated(REFUSED) from None
        if datetime.fromisoformat(known["expires_at"]) <= self.now():
            raise Unauthenticated(REFUSED)
        return known["tenant"], known["user"]

    def _path(self, code: str) -> Path:
        return self.folder / f"{hashlib.sha256(code.encode('utf-8', 'surrogatepass')).hexdigest()}.json"

    def _forget_expired(self) -> None:
        oldest = (self.now() - timedelta(minutes=LINK_MINUTES)).timestamp()
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:  # used meanwhile
                continue


def link(address: str, code: str) -> str:
    """The link to a page at an address that signs in with a code."""
    return f"{address.rstrip('/')}/#signin={code}"


def has_desktop(environment: dict[str, str] | os._Environ[str] = os.environ) -> bool:
    """Whether a browser can be opened for whoever sits here: a display, and no session from elsewhere."""
    remote = environment.get("SSH_CONNECTION") or environment.get("CI")
    return not remote and bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


class SignIn(BaseModel):
    """A code of a link."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(min_length=1, max_length=200)


class SignedIn(BaseModel):
    """A key of the link's user, for this browser."""

    api_key: str
    expires_at: datetime


def sign_in_router(folder: Path) -> APIRouter:
    """The route that exchanges a code for a key."""
    router = APIRouter(route_class=StrictRoute)
    links = SignInLinks(folder)

    @router.post("/sign-in", include_in_schema=False, responses=responses())
    async def exchange(given: SignIn) -> SignedIn:
        return await run(_exchanged, links, given.code)

    return router


def _exchanged(links: SignInLinks, code: str) -> SignedIn:
    tenant, user = links.claim(code)
    expires_at = links.now() + timedelta(days=KEY_DAYS)
    return SignedIn(api_key=create_key(tenant, user, KEY_NAME, days=KEY_DAYS), expires_at=expires_at)
