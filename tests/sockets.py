"""A client of WebSockets."""

import json
import socket
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Event, Ping, Request, TextMessage


class Socket:
    """A browser's side of a connection."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._text = ""
        self.code: int | None = None
        self._send(Request(host=address.netloc, target=address.path, extra_headers=[(b"origin", b"https://a.example")]))
        answer = next(self._events())
        if not isinstance(answer, AcceptConnection):
            self.close()
            raise ConnectionRefusedError(answer)

    def say(self, text: str | bytes) -> Self:
        self._send(TextMessage(data=text) if isinstance(text, str) else BytesMessage(data=text))
        return self

    def hear(self) -> Any:
        """The next message, or None where the connection was closed, with a code."""
        for event in self._events():
            match event:
                case TextMessage():
                    self._text += event.data
                    if event.message_finished:
                        told, self._text = json.loads(self._text), ""
                        return told
                case CloseConnection():
                    self.code = event.code
                    return None
                case Ping():
                    self._send(event.response())
        return None

    def rest(self) -> list[Any]:
        return list(iter(self.hear, None))

    def close(self) -> None:
        self._socket.close()

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._protocol.send(event))

    def _events(self) -> Iterator[Event]:
        while True:
            yield from self._protocol.events()
            received = self._socket.recv(65536)
            if not received:
                return
            self._protocol.receive_data(received)
