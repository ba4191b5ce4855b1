"""Amazon Bedrock's runtime through boto3, with its failures as our errors."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from modulo.adapters.aws_clients import LazyClient, error_code
from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled, Unavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")

CONNECT_SECONDS = 5.0
ATTEMPTS = 2

_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"})
_REFUSED = "ValidationException"
_FAILED = frozenset({"ResourceNotFoundException", "ModelErrorException"})


class BedrockApi:
    """One client, made on first use and shared by every thread.

    Region, credentials and endpoint come from the environment, as boto3 reads it. `timeout` is in
    seconds, for one attempt.
    """

    def __init__(self, *, timeout: float, dependency: str) -> None:
        self._dependency = dependency
        self._client = LazyClient(
            "bedrock-runtime", connect=min(CONNECT_SECONDS, timeout), read=timeout, attempts=ATTEMPTS
        )

    def call(self, ask: Callable[[Any], Result]) -> Result:
        """What `ask` gets of the client, reading of the answer's body included.

        Raises:
            Throttled: Bedrock takes no more just now.
            Unavailable: it does not answer, fails, or refuses the credentials.
            RefusedByModel: it refuses what was sent.
            BadModelAnswer: it has no such model, or the model failed.
        """
        try:
            return ask(self._client())
        except ClientError as error:
            raise self._problem(error) from None
        except ResponseParserError:
            raise BadModelAnswer(f"The {self._dependency}'s answer cannot be read.") from None
        except BotoCoreError as error:
            log.warning("%s does not answer: %s", self._dependency, type(error).__name__)
            raise Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency) from None

    def ping(self) -> None:
        """Ask for something that costs nothing; being told that it is not allowed is an answer too.

        Raises:
            Throttled, Unavailable: as `call` does.
        """
        self.call(self._listed)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._client.close()

    @staticmethod
    def _listed(client: Any) -> None:
        try:
            client.list_async_invokes(maxResults=1)
        except ClientError as error:
            if error_code(error) != "AccessDeniedException":
                raise

    def _problem(self, error: ClientError) -> Exception:
        code = error_code(error)
        if code in _THROTTLED:
            return Throttled(f"The {self._dependency} takes no more just now.", dependency=self._dependency)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        log.error("%s fails: status %s, code %s", self._dependency, status, code)
        if code == _REFUSED:
            return RefusedByModel(f"The {self._dependency} refuses the request ({code}).")
        if code in _FAILED:
            return BadModelAnswer(f"The {self._dependency} cannot answer ({code}).")
        return Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency)
