"""Launcher script: exec another program that is signalled when its parent dies.

Arguments: the parent's process id, the signal to get on its death, a user id, a group id and a capability (-1 for
none of each), then the program and its arguments. It imports little, because it runs before every service.

A server that refuses to run as root may still need a directory below root's home. It then runs as an unprivileged
user that keeps one capability: to traverse such directories.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 4
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def effective_capabilities() -> int:
    """This process's effective capabilities as a bit mask; 0 on systems without capabilities."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return 0


def traversal_capability() -> int | None:
    """The weakest available capability that allows traversing any directory, or None."""
    effective = effective_capabilities()
    return next((c for c in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if effective >> c & 1), None)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become(user: int, group: int, *, keep: int | None) -> None:
    """Switch to the user and group, keeping one capability across the switch and the exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    if keep is not None:
        _check(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        # Without this, access(2) ignores the capability. A failure is harmless: few programs use access(2).
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if keep is not None:
        mask = 1 << keep
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable; low words first
        _check(libc.capset(header, sets))
        _check(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, keep, 0, 0))


def main(numbers: list[int], program: list[str]) -> None:
    """Reset signals, switch user, set the death signal, then exec."""
    parent, death_signal, user, group, keep = numbers
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a background shell job ignores some
        signal.signal(number, signal.SIG_DFL)
    if user >= 0:
        become(user, group, keep=keep if keep >= 0 else None)
    if sys.platform == "linux":  # after switching users, which clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit("the parent process exited during startup")
    os.execv(program[0], program)  # noqa: S606  # the launcher's purpose


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:6]], sys.argv[6:])
