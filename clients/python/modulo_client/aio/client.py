"""The client: who asks, and where."""

from __future__ import annotations

import os
from types import TracebackType

from modulo_client.address import server_address
from modulo_client.aio.collections import AsyncCollections
from modulo_client.aio.conversations import AsyncConversations
from modulo_client.aio.files import AsyncDeletions
from modulo_client.aio.transport import AsyncTransport, parsed
from modulo_client.errors import ModuloError
from modulo_client.models import Caller, Health, Usage

DEFAULT_URL = "http://127.0.0.1:8000"
DOWN = frozenset({503})


class AsyncModulo:
    """A client of a Modulo server, for one credential.

    `url` is the server's address; `MODULO_URL` where it is not given, else that of a server that runs
    on this machine. `api_key` is an API key or an OpenID Connect token; `MODULO_API_KEY` where it is not given.
    `timeout` bounds each wait for the server, in seconds. A request that failed for a reason that passes is sent again
    up to `max_retries` times; a POST carries an Idempotency-Key, so that nothing is done twice.
    """

    def __init__(
        self, url: str | None = None, api_key: str | None = None, *, timeout: float = 60.0, max_retries: int = 3
    ) -> None:
        url = server_address(url or os.environ.get("MODULO_URL") or DEFAULT_URL)
        api_key = api_key or os.environ.get("MODULO_API_KEY")
        if not api_key:
            raise ModuloError("no credential: give `api_key`, or set MODULO_API_KEY")
        self._transport = AsyncTransport(url, api_key, timeout=timeout, max_retries=max_retries)
        self.collections = AsyncCollections(self._transport)
        self.conversations = AsyncConversations(self._transport)
        self.deletions = AsyncDeletions(self._transport)

    async def __aenter__(self) -> AsyncModulo:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def me(self) -> Caller:
        """Who the credential belongs to, what it allows, and the quotas."""
        return await self._transport.get(Caller, "/me")

    async def usage(self) -> Usage:
        """What is used in this period."""
        return await self._transport.get(Usage, "/usage")

    async def health(self) -> Health:
        """How the server, its dependencies and its workers are; a server that is down says so, and raises nothing."""
        return parsed(Health, await self._transport.request("GET", "/health", answers=DOWN))
