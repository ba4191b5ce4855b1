"""What the SDK's server is told of a message, and by what it would speak to the client meanwhile: by nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.transport_context import TransportContext

if TYPE_CHECKING:
    from mcp.shared.dispatcher import CallOptions
    from mcp.shared.message import ServerMessageMetadata

HTTP: Final = TransportContext(kind="streamable-http", can_send_request=False)


@dataclass(frozen=True, slots=True)
class Dispatched:
    """A message of HTTP, which has one answer and room for nothing else."""

    request_id: str | int | None
    message_metadata: ServerMessageMetadata
    transport: TransportContext = HTTP
    can_send_request: bool = False
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)

    async def send_raw_request(
        self, method: str, _params: Mapping[str, Any] | None, _opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client.

        Raises:
            NoBackChannelError: always.
        """
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Drop what the client would be told."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Drop it, too."""
