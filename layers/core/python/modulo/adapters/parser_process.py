"""The program that parses: it imports the parsers once, and forks a process of its own for each document.

The fork holds nothing but the document and a socket. It gets no secrets, and no network where the
kernel lets it be taken away; what it may take is limited by the kernel, and its end harms nobody. The program
itself has one thread, which makes forks safe, and ends with whoever started it.
"""

import ctypes
import gc
import heapq  # noqa: F401 - counters import it at their first use, which would be in every fork
import json
import os
import resource
import selectors
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from modulo.adapters.parser_wire import ENDING, HEADER, Answer, opened, packed, page, part_of, unpacked
from modulo.adapters.parsers import parser_at
from modulo.domain.errors import FileRejected
from modulo.ports import Parser

LONGEST_REQUEST = 4_096
_CPU_GRACE = 5  # seconds from the signal that says why to the one that does not
_FILES = 64
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_OWN_MODULES = os.sep + "modulo" + os.sep
_libc = ctypes.CDLL(None, use_errno=True)


class Forker:
    """Forks on request, kills those whose asker has gone, and tells how each ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._asking: dict[int, socket.socket] = {}
        self._woken, wakes = socket.socketpair()
        for end in (self._woken, wakes):
            end.setblocking(False)
        self._wakes = wakes
        signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written to the next one
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the starter is gone; its forks go with it."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._take():
                        return
                elif key.fileobj is self._woken:
                    self._woken.recv(LONGEST_REQUEST)
                    self._reap()
                elif self._asking.get(key.data) is key.fileobj:  # or it was reaped in this very round
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _take(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, LONGEST_REQUEST, 3)
        if not message:
            return False
        request = json.loads(message)
        parser = parser_at(request["parser"])  # imported here, once for all that are forked from now on
        gc.freeze()  # or else the first collection would copy every page of memory
        content, data, status = descriptors
        asker = socket.socket(fileno=status)
        try:
            process = os.fork()
        except OSError:  # whose asker is told by the end of the socket
            asker.close()
        else:
            if not process:
                _fork(parser, content, data, request)
            self._asking[process] = asker
            self._selector.register(asker, selectors.EVENT_READ, process)
        os.close(content)
        os.close(data)
        return True

    def _reap(self) -> None:
        while self._asking:
            process, status, used = os.wait4(-1, os.WNOHANG)
            if not process:
                return
            asker = self._asking.pop(process)
            with suppress(KeyError):
                self._selector.unregister(asker)
            with suppress(OSError):
                asker.send(ENDING.pack(os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024))
            asker.close()


def _fork(parser: Parser, content: int, data: int, request: dict[str, Any]) -> NoReturn:
    """The life of a fork."""
    code = 1
    try:
        _let_go(content, data)
        file = Path(f"/proc/self/fd/{content}").open("rb")  # noqa: SIM115 - a place in it of its own, until the end
        os.close(content)
        _confine(memory_bytes=request["memory_bytes"], cpu_seconds=request["cpu_seconds"])
        _read(parser, file, socket.socket(fileno=data))
        code = 0
    finally:
        os._exit(code)  # nothing of the program that was forked may run on


def _let_go(*kept: int) -> None:
    """Close what the program has open, and die when it dies."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor > 2 and descriptor not in kept:
            with suppress(OSError):
                os.close(descriptor)


def _confine(*, memory_bytes: int, cpu_seconds: int) -> None:
    program = os.getppid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != program:
        raise SystemExit
    with suppress(OSError):  # where memory runs out, this process is the one to go
        Path("/proc/self/oom_score_adj").write_text("1000")
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limited, soft, more in (
        (resource.RLIMIT_AS, taken + memory_bytes, 0),
        (resource.RLIMIT_CPU, cpu_seconds, _CPU_GRACE),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NOFILE, _FILES, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        most = resource.getrlimit(limited)[1]
        wanted = [value if most == resource.RLIM_INFINITY else min(value, most) for value in (soft, soft + more)]
        resource.setrlimit(limited, (wanted[0], wanted[1]))


def _read(parser: Parser, content: BinaryIO, asker: socket.socket) -> None:
    """Open the document, say what it is, then send the pages that are asked for."""
    try:
        parsed = parser.parse(content)
        asker.sendall(packed(opened(parsed.info, parsed.extent)))
        for found in parsed.pages(part_of(_request(asker))):
            asker.sendall(packed(page(found)))
            if found.picture:
                asker.sendall(found.picture.pixels)
        last: list[Any] = [Answer.end, parsed.info.model_dump(mode="json")]
    except FileRejected as error:
        last = [Answer.rejected, error.code(), error.detail]
    except MemoryError:
        last = [Answer.memory]
    except Exception as error:
        last = [Answer.failed, _trace(error)]
    asker.sendall(packed(last))


def _request(asker: socket.socket) -> list[Any]:
    with asker.makefile("rb") as stream:
        length = stream.read(HEADER.size)
        if len(length) < HEADER.size:
            raise SystemExit  # nobody wants the pages
        return unpacked(stream.read(HEADER.unpack(length)[0]))


def _trace(error: Exception) -> str:
    """Where it happened; the words of the error are left out, as they may be the document's."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = [f"{frame.filename.rpartition(_OWN_MODULES)[2]}:{frame.lineno}" for frame in frames[-12:]]
    return f"{type(error).__name__} at {' > '.join(shown)}"


def _without_network() -> None:
    """As far as the kernel lets it; root needs no other rights for that, others must become their own root."""
    _libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER)


def main(descriptor: int) -> NoReturn:
    """Serve who started this and listens at the other end of the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):  # who is told to stop wants its documents finished
        signal.signal(number, signal.SIG_IGN)
    _without_network()
    Forker(socket.socket(fileno=descriptor)).run()
    os._exit(0)  # at once: nothing here is worth tidying up while the forks die


if __name__ == "__main__":
    main(int(sys.argv[1]))
