"""The fork server: imports the parsers once, then forks one process for each document.

It has a single thread, which makes forking safe, and ends with the process that started it.
"""

import gc
import heapq  # noqa: F401 - `Counter` imports it on first use; imported here, the forks share it
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from modulo.adapters.parsing.parser_registry import parser_at
from modulo.adapters.parsing.sandbox.forked_parser import leave_network, run_fork
from modulo.adapters.parsing.sandbox.protocol import EXIT_STATUS

MAX_REQUEST_BYTES = 4_096


class RequestLoop:
    """Forks on request, kills forks whose client has closed its socket, and reports how each one ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._clients: dict[int, socket.socket] = {}  # by the process id of the fork
        self._wakeup, written = socket.socketpair()
        for end in (self._wakeup, written):
            end.setblocking(False)
        self._written = written
        signal.signal(signal.SIGCHLD, lambda *_: None)  # the wakeup socket is only written to if there is a handler
        signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    def run(self) -> None:
        """Serve until the process that started this one is gone; the forks die with it."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._accept():
                        return
                elif key.fileobj is self._wakeup:
                    self._wakeup.recv(MAX_REQUEST_BYTES)
                    self._reap()
                elif self._clients.get(key.data) is key.fileobj:  # else it was reaped earlier in this round
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _accept(self) -> bool:
        """Fork for the next request; False when there will be no more."""
        message, descriptors, _, _ = socket.recv_fds(self._control, MAX_REQUEST_BYTES, 3)
        if not message:
            return False
        request = json.loads(message)
        parser = parser_at(request["parser"])  # imported before the fork, so that later forks share it
        gc.freeze()  # else the first collection in a fork would copy every page of memory
        content, data, status = descriptors
        client = socket.socket(fileno=status)
        try:
            process = os.fork()
        except OSError:  # the client sees its socket close
            client.close()
        else:
            if not process:
                run_fork(parser, content, data, request)
            self._clients[process] = client
            self._selector.register(client, selectors.EVENT_READ, process)
        os.close(content)
        os.close(data)
        return True

    def _reap(self) -> None:
        """Report the exit status of every fork that has ended."""
        while self._clients:
            process, status, used = os.wait4(-1, os.WNOHANG)
            if not process:
                return
            client = self._clients.pop(process)
            with suppress(KeyError):
                self._selector.unregister(client)
            with suppress(OSError):
                client.send(EXIT_STATUS.pack(os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024))
            client.close()


def main(descriptor: int) -> NoReturn:
    """Serve the process at the other end of the socket."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a parent that is told to stop still finishes its documents
        signal.signal(number, signal.SIG_IGN)
    leave_network()
    RequestLoop(socket.socket(fileno=descriptor)).run()
    os._exit(0)  # at once: nothing here needs cleaning up while the forks die


if __name__ == "__main__":
    main(int(sys.argv[1]))
