"""Which server the command speaks to, and as whom: given, remembered by `modulo login`, or running on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modulo_client.address import server_address
from modulo_client.running_server import DATA, address_and_key, is_running

PROFILE: Final = Path("modulo", "profile.json")


@dataclass(frozen=True, slots=True)
class Profile:
    """A server's address without a path, a credential, and where both were found."""

    url: str
    key: str
    source: str


def profile_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where `modulo login` remembers a server (XDG base directories)."""
    home = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".config"
    return Path(home) / PROFILE


def find_profile(
    url: str | None, key: str | None, *, environment: Mapping[str, str] = os.environ, folder: Path | None = None
) -> Profile | None:
    """The first that is complete: what is given, what was logged in to, what runs on this machine.

    A given address without a key takes the remembered key only where it was remembered for that address: a key is
    never sent to another server.
    """
    known = [one for one in (_remembered(environment), _running(folder or Path.cwd())) if one is not None]
    if url is not None and key:
        return Profile(server_address(url), key, "the options or the environment (--key, MODULO_API_KEY)")
    found = next((one for one in known if url is None or one.url == server_address(url)), None)
    return found if found is None or not key else Profile(found.url, key, "--key or MODULO_API_KEY")


def remember(profile: Profile, environment: Mapping[str, str] = os.environ) -> Path:
    """Keep a profile in a file that only its owner reads; the file."""
    path = profile_file(environment)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": profile.url, "key": profile.key}, file)
    return path


def forget(environment: Mapping[str, str] = os.environ) -> bool:
    """Drop what was remembered; whether there was something."""
    path = profile_file(environment)
    found = path.exists()
    path.unlink(missing_ok=True)
    return found


def _remembered(environment: Mapping[str, str]) -> Profile | None:
    path = profile_file(environment)
    try:
        found = json.loads(path.read_text())
        return Profile(str(found["url"]), str(found["key"]), str(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _running(folder: Path) -> Profile | None:
    """The server that `modulo up` runs from a folder or one above it."""
    for place in (folder, *folder.parents):
        data = place / DATA
        if not is_running(data):
            continue
        try:
            found = address_and_key(data)
        except OSError:
            continue
        if found is not None:
            url, key = found
            return Profile(server_address(url), key, str(data))
    return None
