"""The one program that parses for this process: started when it is first needed, and again should it die."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from modulo.domain.errors import Unavailable

_KEPT = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_START = ("-S", "-P", "-m", "modulo.adapters.parser_process")
_ENDING_SECONDS = 5


class Forks:
    """Asks the program for forks; it ends when this process does, however that ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def fork(self, request: Mapping[str, object], content: int) -> tuple[socket.socket, socket.socket]:
        """A fork that reads the open file: the sockets of what it says, and of the code with which it ends.

        Closing the second one kills it.

        Raises:
            Unavailable: the program cannot be started.
        """
        message = json.dumps(request).encode()
        data, its_data = socket.socketpair()
        status, its_status = socket.socketpair()
        with its_data, its_status, self._lock:
            descriptors = [content, its_data.fileno(), its_status.fileno()]
            for _ in range(2):
                try:
                    socket.send_fds(self._connected(), [message], descriptors)
                except OSError:  # it died since
                    self._end()
                else:
                    return data, status
        data.close()
        status.close()
        raise Unavailable("The program that parses cannot be started.", dependency="parser")

    def close(self) -> None:
        """End the program with all its forks; the next one asked for starts another."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The program's process, where there is one."""
        return self._program.pid if self._program else None

    def _connected(self) -> socket.socket:
        if self._control is not None and self._owner != os.getpid():  # this process was forked: it is another's
            self._control.close()
            self._control = self._program = None
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._program = _started(theirs.fileno())
            self._owner = os.getpid()
        return self._control

    def _end(self) -> None:
        control, program = self._control, self._program
        self._control = self._program = None
        if control is not None:
            control.close()
        if program is not None and self._owner == os.getpid():
            try:
                program.wait(_ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _started(descriptor: int) -> "subprocess.Popen[bytes]":
    """The program, which imports from where this process does and knows nothing else of its environment."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
        [sys.executable, *_START, str(descriptor)],
        env=environment,
        cwd="/",
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # a terminal's Ctrl-C is not for it
    )


forks = Forks()
atexit.register(forks.close)
