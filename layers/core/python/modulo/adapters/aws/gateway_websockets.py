"""WebSocket connections of Amazon API Gateway, used through its management API."""

import os
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from modulo.adapters.aws.clients import LazyClient, error_code, translated_errors

CONNECT_SECONDS = 2
READ_SECONDS = 3
ATTEMPTS = 2
"""All attempts together must end before the lease of a subscription does, so that no event is pushed twice."""
GONE = "GoneException"


class GatewayWebSockets:
    """The connections of one stage of an API, given by its address: https://<api>.execute-api.<region>.…/<stage>."""

    def __init__(self, url: str) -> None:
        self._api = LazyClient(
            "apigatewaymanagementapi",
            connect=CONNECT_SECONDS,
            read=READ_SECONDS,
            attempts=ATTEMPTS,
            endpoint=_endpoint_of(url),
        )

    def send(self, connection_id: str, message: str) -> bool:
        """Send a message; False where the connection is gone."""
        with translated_errors("sockets"):
            try:
                self._api().post_to_connection(ConnectionId=connection_id, Data=message.encode())
            except ClientError as error:
                if error_code(error) != GONE:
                    raise
                return False
        return True

    def disconnect(self, connection_id: str) -> None:
        """Close the connection, if it is still open."""
        with translated_errors("sockets"):
            try:
                self._api().delete_connection(ConnectionId=connection_id)
            except ClientError as error:
                if error_code(error) != GONE:
                    raise

    def close(self) -> None:
        """Close our connections to API Gateway."""
        self._api.close()


def _endpoint_of(url: str) -> str:
    """The endpoint of the management API; a local cloud has a single host name and the API's id in the path."""
    local = os.environ.get("AWS_ENDPOINT_URL")
    if not local:
        return url
    address = urlsplit(url)
    api, stage = (address.hostname or "").partition(".")[0], address.path.strip("/")
    return f"{local}/restapis/{api}/{stage}/_user_request_"
