"""One shared connection to Milvus: opened on first use, with a timeout and translated errors for every call."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import grpc

from modulo.adapters.milvus.client import DataNotMatchException, ErrorCode, MilvusClient, MilvusException, ParamError
from modulo.domain.errors import ModuloError, Unavailable
from modulo.ports.deadline import remaining

if TYPE_CHECKING:
    from modulo.ports.secrets import Secret

SLOW_CALL_TIMEOUTS = 6
"""How many timeouts a slow call may take: one that creates, loads, flushes, deletes, or reads consistently."""
GRPC_OPTIONS = {
    # Channels to one address share their connection state by default: a new channel would wait out the reconnect
    # delay of an old one, up to two minutes, although the server is back. Ours share nothing and wait at most a second.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # gRPC servers, Milvus Lite among them, take a ping in 5 minutes without data and none while no call is open; after
    # more, they hang up (too_many_pings). pymilvus pings every 10 seconds. A dead connection is noticed all the same:
    # every call has a deadline, and the kernel drops a connection that acknowledges nothing for the keepalive timeout.
    "grpc.keepalive_time_ms": 330_000,
    "grpc.keepalive_timeout_ms": 5_000,
    "grpc.keepalive_permit_without_calls": 0,
}
_NOT_FOUND, _NOT_LOADED, _BAD_ARGUMENT, _BAD_PARAMETER = 100, 101, 6, 1_100


class CollectionNotReadyError(Exception):
    """The Milvus collection does not exist, or is not loaded."""


class MilvusConnection:
    """A client that threads share; pymilvus reconnects by itself when the server comes back.

    `timeout` is in seconds, for one call.
    """

    def __init__(self, uri: str, *, token: "str | Secret | None", timeout: float) -> None:
        self._uri, self._token, self._timeout = uri, token, timeout
        self._client: MilvusClient | None = None
        self._lock = Lock()
        self._failed_at = float("-inf")
        self._used = ""

    def call(self, method: str, *args: Any, timeouts: int = 1, **options: Any) -> Any:
        """Call a method of `MilvusClient`; it may take so many `timeouts`.

        A timeout is always passed, because without one pymilvus retries 75 times and then waits forever.

        Raises:
            CollectionNotReadyError: the collection does not exist, or is not loaded.
            ModuloError: Milvus refuses the request as invalid.
            Unavailable: every other failure.
        """
        client = self._connected()
        try:
            return getattr(client, method)(*args, timeout=remaining(self._timeout * timeouts), **options)
        except (MilvusException, grpc.RpcError) as error:
            self._check_token(error)
            raise _translated(error) from error

    def begin(self, method: str, *args: Any, **options: Any) -> Callable[[], Any]:
        """Send the request of a method that searches; the function returned waits for its result.

        Other calls can be made in between. Where the server was not reached, waiting makes the call again, as `call`
        does by itself. Both raise what `call` raises.
        """
        pending = self.call(method, *args, _async=True, **options)

        def result() -> Any:
            try:
                return pending.result()
            except (MilvusException, grpc.RpcError) as error:
                if _is_unreached(error):
                    return self.call(method, *args, **options)
                self._check_token(error)
                raise _translated(error) from error

        return result

    def call_at_once(self, method: str, requests: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The results of several calls of a method that searches, all of them under way at once.

        Raises:
            as `call`.
        """
        if not requests:
            return []
        begun = [self.begin(method, **request) for request in requests[:-1]]
        last = self.call(method, **requests[-1])
        return [*(wait() for wait in begun), last]

    def call_slow(self, method: str, *args: Any, **options: Any) -> Any:
        """Like `call`, for methods that are slow even when all is well."""
        return self.call(method, *args, timeouts=SLOW_CALL_TIMEOUTS, **options)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
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
                        raise unavailable()  # another thread failed to connect while this one waited
                    client = self._client = self._connect()
        return client

    def _connect(self) -> MilvusClient:
        # pymilvus logs every failed request with its filter, which holds what users wrote.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        token = (self._token or "") if isinstance(self._token, str | None) else self._token.value()
        try:
            return self._opened(token)
        except (MilvusException, grpc.RpcError) as error:
            other = self._other_token(token)
            if other is not None:
                with suppress(MilvusException, grpc.RpcError):
                    return self._opened(other)
            self._failed_at = time.monotonic()
            raise unavailable() from error

    def _opened(self, token: str) -> MilvusClient:
        self._used = token
        return MilvusClient(self._uri, token=token, timeout=self._timeout, dedicated=True, grpc_options=GRPC_OPTIONS)

    def _other_token(self, refused: str) -> str | None:
        """What the token is now, where it is kept elsewhere and has changed."""
        return None if isinstance(self._token, str | None) else self._token.renewed(refused)

    def _check_token(self, error: Exception) -> None:
        """Have the next call connect anew where the server refuses a token that has changed since."""
        if _is_refused(error) and self._other_token(self._used) is not None:
            self.close()


def unavailable() -> Unavailable:
    """The error to raise while Milvus does not answer."""
    return Unavailable("The vector store does not answer: try again shortly.", dependency="milvus")


def is_rate_limited(error: Unavailable) -> bool:
    """Whether Milvus refused the call only because of its rate limit."""
    return bool(getattr(error.__cause__, "code", None) == ErrorCode.RATE_LIMIT)


def _is_refused(error: Exception) -> bool:
    """Whether the server does not know who calls, or lets them do less than before."""
    cause = error if isinstance(error, grpc.RpcError) else error.__cause__
    refusals = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
    return isinstance(cause, grpc.RpcError) and hasattr(cause, "code") and cause.code() in refusals


def _is_unreached(error: Exception) -> bool:
    """Whether a pending call failed because there was no connection."""
    cause = error.__cause__
    return isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.UNAVAILABLE


def _translated(error: Exception) -> Exception:
    if isinstance(error, MilvusException):
        if error.code in (_NOT_FOUND, _NOT_LOADED):
            return CollectionNotReadyError()
        invalid = isinstance(error, (ParamError, DataNotMatchException)) or error.is_input_error
        if invalid or error.code in (_BAD_ARGUMENT, _BAD_PARAMETER):
            return ModuloError("The vector store refused a request.")
    return unavailable()
