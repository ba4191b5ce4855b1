"""Starts the fork server when it is first needed, restarts it should it die, and asks it for forks."""

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

_INHERITED_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_ARGUMENTS = ("-S", "-P", "-m", "modulo.adapters.parsing.sandbox.fork_server_main")
_STOP_SECONDS = 5


class ForkServer:
    """The fork server of this process; it ends when this process does, however that ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def fork(self, request: Mapping[str, object], content: int) -> tuple[socket.socket, socket.socket]:
        """Start a fork that parses the open file `content`.

        Returns two sockets: one for its messages, one that receives its exit status. Closing the latter kills the fork.

        Raises:
            Unavailable: the fork server cannot be started.
        """
        message = json.dumps(request).encode()
        data, its_data = socket.socketpair()
        status, its_status = socket.socketpair()
        with its_data, its_status, self._lock:
            descriptors = [content, its_data.fileno(), its_status.fileno()]
            for _ in range(2):
                try:
                    socket.send_fds(self._connected(), [message], descriptors)
                except OSError:  # the server died since the last request
                    self._stop()
                else:
                    return data, status
        data.close()
        status.close()
        raise Unavailable("The program that parses cannot be started.", dependency="parser")

    def close(self) -> None:
        """Stop the server and all its forks; the next request starts another."""
        with self._lock:
            self._stop()

    @property
    def pid(self) -> int | None:
        """The server's process id; None while there is no server."""
        return self._program.pid if self._program else None

    def _connected(self) -> socket.socket:
        """The socket to the server, which is started if need be."""
        if self._control is not None and self._owner != os.getpid():  # forked: the server is the parent's
            self._control.close()
            self._control = self._program = None
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._program = _start(theirs.fileno())
            self._owner = os.getpid()
        return self._control

    def _stop(self) -> None:
        control, program = self._control, self._program
        self._control = self._program = None
        if control is not None:
            control.close()
        if program is not None and self._owner == os.getpid():
            try:
                program.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _start(descriptor: int) -> "subprocess.Popen[bytes]":
    """Start the server with this process's import path and none of its secrets."""
    environment = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
        [sys.executable, *_ARGUMENTS, str(descriptor)],
        env=environment,
        cwd="/",
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in a terminal must not reach it
    )


fork_server = ForkServer()
atexit.register(fork_server.close)
