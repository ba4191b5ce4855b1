"""Commands about the server, the user and the key."""

from __future__ import annotations

import webbrowser

import typer

from modulo_client.address import server_address
from modulo_client.command.connection import Json, Key, Url, chosen_profile, connected
from modulo_client.command.printing import out, print_json, print_table, size
from modulo_client.command.profile import Profile, forget, remember
from modulo_client.sync.client import DEFAULT_URL


def login(*, url: Url = DEFAULT_URL, key: Key = None, as_json: Json = False) -> None:
    """Remember a server and a key for it, after trying them."""
    key = key or typer.prompt("API key", hide_input=True)
    address = server_address(url or DEFAULT_URL)
    with connected(address, key) as modulo:
        caller = modulo.me()
    path = remember(Profile(address, key, "login"))
    if as_json:
        print_json({"url": address, "user": caller.user.name, "tenant": caller.tenant.name, "profile": str(path)})
        return
    out.print(f"Signed in to {address} as {caller.user.name} of {caller.tenant.name}; the key is kept in {path}")


def logout(*, as_json: Json = False) -> None:
    """Forget the server and the key that `login` remembered."""
    known = forget()
    if as_json:
        print_json({"signed_out": known})
    else:
        out.print("Signed out." if known else "Nobody was signed in.")


def whoami(*, url: Url = None, key: Key = None, as_json: Json = False) -> None:
    """Show whose key is used, on which server."""
    with connected(url, key) as modulo:
        caller = modulo.me()
    if as_json:
        print_json(caller)
        return
    profile = chosen_profile(url, key)
    out.print(f"{caller.user.name} of {caller.tenant.name}, with scopes {', '.join(caller.scopes)}")
    out.print(f"[dim]on {profile.url}, known from {profile.source}[/dim]")
    out.print(f"[dim]user id {caller.user.id}, for `modulo share`[/dim]")


def usage(*, url: Url = None, key: Key = None, as_json: Json = False) -> None:
    """Show what is used of the quotas."""
    with connected(url, key) as modulo:
        used = modulo.usage()
    if as_json:
        print_json(used)
        return
    limits = used.quotas
    rows = [
        ("collections", str(used.collections), str(limits.collections or "")),
        ("storage", size(used.storage_bytes), size(limits.storage_bytes or 0)),
        ("tokens today", f"{used.tokens_used:,}", f"{limits.tokens_per_day:,}" if limits.tokens_per_day else ""),
    ]
    print_table(("", "used", "of"), rows)
    out.print(f"[dim]tokens start again at 0 on {used.resets_at:%Y-%m-%d %H:%M} UTC[/dim]")


def open_page(*, url: Url = None, key: Key = None, as_json: Json = False) -> None:
    """Open the server's page in a browser."""
    profile = chosen_profile(url, key)
    if as_json:
        print_json({"url": profile.url})
    else:
        out.print(profile.url)
    webbrowser.open(profile.url)
