"""One fork: drop every privilege, parse one document, send its pages, exit.

The fork keeps nothing but the document and a socket. It has no secrets, and no network where the kernel allows
leaving it. The kernel limits its memory and CPU time, so a fork that crashes or is killed harms no other.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from modulo.adapters.parsing.sandbox.protocol import (
    LENGTH,
    MessageKind,
    decode,
    encode,
    opened_message,
    page_message,
    part_from,
)
from modulo.domain.errors import FileRejected

if TYPE_CHECKING:
    from modulo.ports.parsing import Parser

_CPU_GRACE_SECONDS = 5  # from SIGXCPU, which names the reason, to SIGKILL
_MAX_FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_OWN_MODULES = os.sep + "modulo" + os.sep
_libc = ctypes.CDLL(None, use_errno=True)


def run_fork(parser: Parser, content: int, data: int, request: dict[str, Any]) -> NoReturn:
    """Parse the open file and send its pages to the socket, then exit; `request` holds the limits."""
    code = 1
    try:
        _close_inherited(content, data)
        # Opened anew: a duplicate would share its position with the client's descriptor.
        file = Path(f"/proc/self/fd/{content}").open("rb")  # noqa: SIM115 - open until the process exits
        os.close(content)
        _confine(memory_bytes=request["memory_bytes"], cpu_seconds=request["cpu_seconds"])
        _send_document(parser, file, socket.socket(fileno=data))
        code = 0
    finally:
        os._exit(code)  # no clean-up of the fork server may run here


def leave_network() -> None:
    """Move to an empty network namespace, where the kernel allows it.

    Root may do so directly; other users need a user namespace of their own.
    """
    _libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER)


def _close_inherited(*kept: int) -> None:
    """Close every descriptor of the fork server but those kept, and reset its signal handling."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    devnull = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(devnull, standard)
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor > 2 and descriptor not in kept:
            with suppress(OSError):
                os.close(descriptor)


def _confine(*, memory_bytes: int, cpu_seconds: int) -> None:
    """Die with the fork server, gain no privileges, and let the kernel limit memory, CPU, files and processes."""
    server = os.getppid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != server:  # it died before the signal was set
        raise SystemExit
    with suppress(OSError):  # when the machine runs out of memory, kill this process first
        Path("/proc/self/oom_score_adj").write_text("1000")
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limited, soft, grace in (
        (resource.RLIMIT_AS, in_use + memory_bytes, 0),
        (resource.RLIMIT_CPU, cpu_seconds, _CPU_GRACE_SECONDS),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, _MAX_FILES, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        ceiling = resource.getrlimit(limited)[1]
        wanted = [value if ceiling == resource.RLIM_INFINITY else min(value, ceiling) for value in (soft, soft + grace)]
        resource.setrlimit(limited, (wanted[0], wanted[1]))


def _send_document(parser: Parser, content: BinaryIO, client: socket.socket) -> None:
    """Open the document, send what it is, then the pages that the client asks for."""
    try:
        parsed = parser.parse(content)
        client.sendall(encode(opened_message(parsed.info, parsed.extent)))
        for page in parsed.pages(part_from(_receive_request(client))):
            client.sendall(encode(page_message(page)))
            if page.picture:
                client.sendall(page.picture.pixels)
        last: list[Any] = [MessageKind.end, parsed.info.model_dump(mode="json")]
    except FileRejected as error:
        last = [MessageKind.rejected, error.code(), error.detail]
    except MemoryError:
        last = [MessageKind.out_of_memory]
    except Exception as error:
        last = [MessageKind.failed, _stack_of(error)]
    client.sendall(encode(last))


def _receive_request(client: socket.socket) -> list[Any]:
    with client.makefile("rb") as stream:
        length = stream.read(LENGTH.size)
        if len(length) < LENGTH.size:
            raise SystemExit  # the client closed the document without reading a page
        return decode(stream.read(LENGTH.unpack(length)[0]))


def _stack_of(error: Exception) -> str:
    """The error's type and stack, without its message, which may quote the document."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = [f"{frame.filename.rpartition(_OWN_MODULES)[2]}:{frame.lineno}" for frame in frames[-12:]]
    return f"{type(error).__name__} at {' > '.join(shown)}"
