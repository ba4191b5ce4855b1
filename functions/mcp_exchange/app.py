"""POST /mcp: tools and documents for assistants, by the Model Context Protocol."""

from modulo.runtime.endpoint import handler_of
from modulo.runtime.mcp_door.http import load_server, mcp_router, rpc_answer

load_server()  # while the environment starts, in place of its first request
handler = handler_of(mcp_router(""), answer=rpc_answer)
