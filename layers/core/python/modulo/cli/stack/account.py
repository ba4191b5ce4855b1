"""The user as whom a server runs that refuses to be root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from modulo.cli.stack.launch import passing_capability


@dataclass(frozen=True)
class Account:
    """A user to run a program as, with the capability it needs to reach its files."""

    user: int
    group: int
    capability: int | None = None

    def own(self, path: Path) -> None:
        """Give the path to the account."""
        os.chown(path, self.user, self.group)


def account_reaching(*paths: Path) -> Account | None:
    """Whom to run as so that the paths can be reached; None means as we are, which is not root.

    Raises:
        PermissionError: an ordinary user cannot reach them and no capability helps.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    closed = next(
        (place for path in paths for place in path.resolve().parents if not place.stat().st_mode & 0o001), None
    )
    if closed is None:
        return Account(entry.pw_uid, entry.pw_gid)
    capability = passing_capability()
    if capability is None:
        raise PermissionError(f"Postgres does not run as root, and others may not enter {closed}: choose another place")
    return Account(entry.pw_uid, entry.pw_gid, capability)
