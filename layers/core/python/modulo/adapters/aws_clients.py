"""How boto3 clients are made and what their failures mean."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from modulo.domain.errors import Unavailable

CONNECT_SECONDS = 2
READ_SECONDS = 20
ATTEMPTS = 3
CONNECTIONS = 10
"""That are kept open; more calls at a time would open and close others."""


class LazyClient:
    """A boto3 client that is made when first called and then shared by every thread.

    It waits so long for a connection and for an answer, in seconds, and tries so often in all. The service is asked
    at `endpoint` where it has an address for each of its parts.
    """

    def __init__(
        self,
        service: str,
        *,
        connect: float = CONNECT_SECONDS,
        read: float = READ_SECONDS,
        attempts: int = ATTEMPTS,
        endpoint: str | None = None,
    ) -> None:
        self._service = service
        self._endpoint = endpoint
        self._config = Config(
            connect_timeout=connect,
            read_timeout=read,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        self._lock = Lock()
        self._client: Any = None

    def __call__(self) -> Any:
        """The client; making it reads region, credentials and endpoint from the environment."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._made()
        return self._client

    def close(self) -> None:
        """Close the connections; the next call makes another client."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _made(self) -> Any:
        config = self._config
        if self._service == "s3":
            # A local cloud has one host name, so the bucket cannot be part of it.
            local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            s3 = Config(signature_version="s3v4", s3={"addressing_style": "path" if local else "auto"})
            config = config.merge(s3)
        # A session of its own: the default one must not be shared by threads.
        made: Callable[..., Any] = Session().client
        return made(self._service, config=config, endpoint_url=self._endpoint)


@contextmanager
def answering(dependency: str) -> Iterator[None]:
    """Turn every failure of boto3 inside the block into `Unavailable`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"{dependency.upper()} does not answer: try again shortly.", dependency=dependency) from error


def error_code(error: ClientError) -> str:
    """The service's own name for what went wrong, such as NoSuchKey."""
    return str(error.response.get("Error", {}).get("Code", ""))
