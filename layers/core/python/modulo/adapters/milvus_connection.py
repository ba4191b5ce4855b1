"""One connection to Milvus: made when first needed, every request with a timeout, failures named."""

import logging
import time
from threading import Lock
from typing import Any

import grpc

from modulo.adapters.milvus_client import DataNotMatchException, ErrorCode, MilvusClient, MilvusException, ParamError
from modulo.domain.errors import ModuloError, Unavailable

PATIENCE = 6
"""How many timeouts a slow request may take: one that creates, loads, flushes, deletes or reads with consistency."""
_GRPC = {
    # Channels share what they know of an address, so that a new one would wait out the old one's pause
    # (up to two minutes) although the server is back; these do not, and pause for a second at most.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
}
_NOT_FOUND, _NOT_LOADED, _BAD_ARGUMENT, _BAD_PARAMETER = 100, 101, 6, 1_100


class GoneError(Exception):
    """The collection does not exist, or is not loaded."""


class MilvusConnection:
    """A client that threads share; pymilvus itself connects again when the server comes back."""

    def __init__(self, uri: str, *, token: str | None, timeout: float) -> None:
        self._uri, self._token, self._timeout = uri, token, timeout
        self._client: MilvusClient | None = None
        self._lock = Lock()
        self._failed_at = float("-inf")

    def ask(self, method: str, *args: Any, patience: int = 1, **options: Any) -> Any:
        """Call a method of `MilvusClient`; without a timeout pymilvus would try 75 times and wait for ever.

        Raises:
            GoneError: the collection does not exist, or is not loaded.
            ModuloError: the request was not understood.
            Unavailable: anything else.
        """
        client = self._connected()
        try:
            return getattr(client, method)(*args, timeout=self._timeout * patience, **options)
        except (MilvusException, grpc.RpcError) as error:
            raise _problem(error) from error

    def ask_slowly(self, method: str, *args: Any, **options: Any) -> Any:
        """The same for what may take long although all is well."""
        return self.ask(method, *args, patience=PATIENCE, **options)

    def close(self) -> None:
        """End the connection; the next request makes another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> MilvusClient:
        client = self._client
        if client is None:
            began = time.monotonic()
            with self._lock:
                client = self._client
                if client is None:
                    if self._failed_at > began:
                        raise unavailable()  # another thread found out while this one waited
                    client = self._client = self._connect()
        return client

    def _connect(self) -> MilvusClient:
        # It would log every failure with the filter, which holds what users wrote.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        try:
            return MilvusClient(
                self._uri, token=self._token or "", timeout=self._timeout, dedicated=True, grpc_options=_GRPC
            )
        except (MilvusException, grpc.RpcError) as error:
            self._failed_at = time.monotonic()
            raise unavailable() from error


def unavailable() -> Unavailable:
    """What callers get while Milvus does not answer."""
    return Unavailable("The vector store does not answer: try again shortly.", dependency="milvus")


def too_often(error: Unavailable) -> bool:
    """Whether Milvus only asked for fewer requests of this kind."""
    return bool(getattr(error.__cause__, "code", None) == ErrorCode.RATE_LIMIT)


def _problem(error: Exception) -> Exception:
    if isinstance(error, MilvusException):
        if error.code in (_NOT_FOUND, _NOT_LOADED):
            return GoneError()
        refused = isinstance(error, (ParamError, DataNotMatchException)) or error.is_input_error
        if refused or error.code in (_BAD_ARGUMENT, _BAD_PARAMETER):
            return ModuloError("The vector store refused a request.")
    return unavailable()
