"""HTTP connections with timeouts: a client that is too slow is cut off and cannot keep a connection for ever."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS: Final = 15.0
"""From the connection, or from a request's first byte, to the end of its headers."""
BODY_SECONDS: Final = 60.0
"""From the end of the headers to the end of the body, besides what a large one takes."""
SLOWEST_BYTES_PER_SECOND: Final = 500_000
"""How fast a client has to send a large body: 4 Mbit/s."""
LONGEST_SECONDS: Final = 900.0
"""More than that no body gets for its size."""
WRITE_SECONDS: Final = 60.0
"""How long a client may not take any of what was written for it, once the buffers are full."""


class TimedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which has a timeout between requests only, with one for each part of a request."""

    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_within(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all waits."""
        self._expect_within(None)
        self.resume_writing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the headers."""
        super().on_message_begin()
        self._expect_within(HEADER_SECONDS)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        super().on_headers_complete()
        announced = next((value for name, value in self.headers if name == b"content-length"), b"")
        size = int(announced) if announced.isdigit() else 0
        self._expect_within(BODY_SECONDS + min(size / SLOWEST_BYTES_PER_SECOND, LONGEST_SECONDS))

    def on_message_complete(self) -> None:
        """Wait for nothing: from here on the server is at work."""
        super().on_message_complete()
        self._expect_within(None)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._writing = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read enough."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to another protocol, which has timeouts of its own."""
        self._expect_within(None)
        super().handle_websocket_upgrade()

    def _expect_within(self, seconds: float | None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)
