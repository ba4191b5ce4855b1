"""A client of the Model Context Protocol. Run it with a collection and a question."""

import asyncio
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client


async def main(collection: str, question: str) -> None:
    """Print the tools of the server, and what one of them answers."""
    url = os.environ.get("MODULO_URL", "http://127.0.0.1:8000")
    headers = {"Authorization": f"Bearer {os.environ['MODULO_API_KEY']}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        print("Tools:", ", ".join(tool.name for tool in (await client.list_tools()).tools))
        answer = await client.call_tool("rag_search", {"collection": collection, "question": question})
        print(answer.content[0].text)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
