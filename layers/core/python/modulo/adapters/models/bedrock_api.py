"""Amazon Bedrock's runtime API through boto3; its failures become errors of the domain."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import urllib3
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from modulo.adapters.aws.clients import LazyClient, error_code
from modulo.domain.errors import BadModelAnswer, RefusedByModel, Throttled, TimedOut, Unavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")

CONNECT_SECONDS = 5.0
ATTEMPTS = 2

_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"})
_INVALID = "ValidationException"
_FAILED = frozenset({"ResourceNotFoundException", "ModelErrorException", "ModelStreamErrorException"})


class BedrockApi:
    """One client, created on first use and shared by all threads.

    boto3 reads region, credentials and endpoint from the environment. `timeout` is in seconds, for one attempt;
    `dependency` is the model's role in errors and logs, such as "embedder".
    """

    def __init__(self, *, timeout: float, dependency: str) -> None:
        self._dependency = dependency
        self._client = LazyClient(
            "bedrock-runtime", connect=min(CONNECT_SECONDS, timeout), read=timeout, attempts=ATTEMPTS
        )

    def call(self, operation: Callable[[Any], Result]) -> Result:
        """The result of an operation on the client; it must read the body of the response, too.

        Raises:
            Throttled: Bedrock's rate limit is reached.
            Unavailable: Bedrock does not answer, fails, or refuses the credentials.
            RefusedByModel: Bedrock refuses the content of the request.
            BadModelAnswer: the model does not exist, or failed.
        """
        with self._translated_errors():
            return operation(self._client())

    def events(self, stream: Iterable[Result]) -> Iterator[Result]:
        """The events of an answer as they come.

        Raises:
            Throttled, Unavailable, RefusedByModel, BadModelAnswer: as `call` does.
        """
        events = iter(stream)
        while True:
            with self._translated_errors():
                try:
                    event = next(events)
                except StopIteration:
                    return
            yield event

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._translated(error) from None
        except ResponseParserError:
            raise BadModelAnswer(f"The {self._dependency}'s answer cannot be read.") from None
        except (ReadTimeoutError, urllib3.exceptions.ReadTimeoutError):
            log.warning("the %s on Bedrock did not answer in time", self._dependency)
            raise TimedOut(f"The {self._dependency} took too long.", dependency=self._dependency) from None
        except (BotoCoreError, urllib3.exceptions.HTTPError) as error:  # the latter within a stream
            log.warning("the %s on Bedrock does not answer: %s", self._dependency, type(error).__name__)
            raise Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency) from None

    def ping(self) -> None:
        """Make a call that costs nothing; AccessDenied proves that Bedrock answers, too.

        Raises:
            Throttled, Unavailable: as `call` does.
        """
        self.call(self._list_invocations)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._client.close()

    @staticmethod
    def _list_invocations(client: Any) -> None:
        try:
            client.list_async_invokes(maxResults=1)
        except ClientError as error:
            if error_code(error) != "AccessDeniedException":
                raise

    def _translated(self, error: ClientError) -> Exception:
        code = error_code(error)
        code = code[:1].upper() + code[1:]  # an error within a stream begins with a small letter
        if code in _THROTTLED:
            return Throttled(
                f"The {self._dependency}'s rate limit is reached: try again later.", dependency=self._dependency
            )
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        log.error("the %s on Bedrock failed: status %s, code %s", self._dependency, status, code)
        if code == _INVALID:
            return RefusedByModel(f"The {self._dependency} refuses the request ({code}).")
        if code in _FAILED:
            return BadModelAnswer(f"The {self._dependency} cannot answer ({code}).")
        return Unavailable(f"The {self._dependency} does not answer.", dependency=self._dependency)
