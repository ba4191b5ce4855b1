import anyio
import pytest
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.message import ServerMessageMetadata

from modulo.runtime.mcp_door.dispatch import Dispatched


def test_the_client_is_told_nothing_but_the_answer():
    async def speak():
        context = Dispatched(1, ServerMessageMetadata())
        await context.notify("notifications/message", {})
        await context.progress(0.5)
        with pytest.raises(NoBackChannelError):
            await context.send_raw_request("sampling/createMessage", {})

    anyio.run(speak)
