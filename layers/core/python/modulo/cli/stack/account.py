"""Chooses the unprivileged user for servers that refuse to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from modulo.cli.stack.launch import traversal_capability


@dataclass(frozen=True)
class Account:
    """A user and group to run a program as, with the capability it needs to reach its files."""

    user: int
    group: int
    capability: int | None = None

    def own(self, path: Path) -> None:
        """Make the account the owner of the path."""
        os.chown(path, self.user, self.group)


def account_reaching(*paths: Path) -> Account | None:
    """The account to run a server as so that it can reach the paths; None when this process is not root.

    Raises:
        PermissionError: an unprivileged user cannot reach the paths, and no capability allows it.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    closed = next(
        (place for path in paths for place in path.resolve().parents if not place.stat().st_mode & 0o001), None
    )
    if closed is None:
        return Account(entry.pw_uid, entry.pw_gid)
    capability = traversal_capability()
    if capability is None:
        raise PermissionError(
            f"Postgres refuses to run as root, and other users cannot enter {closed}: choose another data directory"
        )
    return Account(entry.pw_uid, entry.pw_gid, capability)
