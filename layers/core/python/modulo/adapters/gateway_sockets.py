"""WebSocket connections that Amazon API Gateway keeps, spoken to by its management API."""

import os
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from modulo.adapters.aws_clients import LazyClient, answering, error_code

CONNECT_SECONDS = 2
READ_SECONDS = 3
ATTEMPTS = 2
"""A lease must outlast all of it, so that nobody else tells the same watcher meanwhile."""
GONE = "GoneException"


class GatewaySockets:
    """The connections of one API's stage, named by its address: https://<api>.execute-api.<region>.…/<stage>."""

    def __init__(self, url: str) -> None:
        self._api = LazyClient(
            "apigatewaymanagementapi",
            connect=CONNECT_SECONDS,
            read=READ_SECONDS,
            attempts=ATTEMPTS,
            endpoint=_reached(url),
        )

    def tell(self, connection_id: str, message: str) -> bool:
        """Say something; False where the connection is gone."""
        with answering("sockets"):
            try:
                self._api().post_to_connection(ConnectionId=connection_id, Data=message.encode())
            except ClientError as error:
                if error_code(error) != GONE:
                    raise
                return False
        return True

    def end(self, connection_id: str) -> None:
        """Close the connection, if it is there."""
        with answering("sockets"):
            try:
                self._api().delete_connection(ConnectionId=connection_id)
            except ClientError as error:
                if error_code(error) != GONE:
                    raise

    def close(self) -> None:
        """Close our own connections."""
        self._api.close()


def _reached(url: str) -> str:
    """Where the API is reached: a local cloud has one host name, and its APIs are told apart by the path."""
    local = os.environ.get("AWS_ENDPOINT_URL")
    if not local:
        return url
    address = urlsplit(url)
    api, stage = (address.hostname or "").partition(".")[0], address.path.strip("/")
    return f"{local}/restapis/{api}/{stage}/_user_request_"
