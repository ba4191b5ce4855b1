"""The listening socket of the prefork server."""

import socket
from contextlib import closing

from modulo.cli.prefork import listener


def test_answers_leave_at_once_on_every_connection() -> None:
    with closing(listener("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
