"""Creates boto3 clients and translates their errors."""

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
READ_SECONDS = 8
ATTEMPTS = 2
CONNECTIONS = 10
"""The size of a client's connection pool; more concurrent calls open and close extra connections."""


class LazyClient:
    """A boto3 client that is created on first use and then shared by all threads.

    `connect` and `read` are timeouts in seconds, `attempts` is the number of tries in all. `endpoint` is for services
    that have an address for each resource.
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
        """The client; creating it reads region, credentials and endpoint from the environment."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._create()
        return self._client

    def close(self) -> None:
        """Close the connections; the next call creates another client."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _create(self) -> Any:
        config = self._config
        if self._service == "s3":
            # A local cloud has a single host name, so the bucket must be part of the path.
            local = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            s3 = Config(signature_version="s3v4", s3={"addressing_style": "path" if local else "auto"})
            config = config.merge(s3)
        # Not the default session, which is not thread-safe.
        create_client: Callable[..., Any] = Session().client
        return create_client(self._service, config=config, endpoint_url=self._endpoint)


@contextmanager
def translated_errors(dependency: str) -> Iterator[None]:
    """Turn every error of boto3 inside the block into `Unavailable`."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"{dependency.upper()} does not answer: try again shortly.", dependency=dependency) from error


def error_code(error: ClientError) -> str:
    """The service's error code, such as NoSuchKey."""
    return str(error.response.get("Error", {}).get("Code", ""))
