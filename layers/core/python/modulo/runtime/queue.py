"""From queued messages to use cases: every message stands alone, a failed one is delivered again later."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_plus

from modulo.domain.errors import ModuloError
from modulo.domain.file import FileRef
from modulo.domain.transfer import Delivery, IngestRequest, PurgeRequest
from modulo.ports import Queue
from modulo.runtime.snapshot import keep_ready
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.services import Services, services

log = logging.getLogger(__name__)
Work = TypeVar("Work")
QueueHandler = Callable[[dict[str, Any], Any], dict[str, Any]]
LONGEST_POSTPONEMENT = 43_200
"""Seconds: SQS keeps a message invisible for 12 hours at most."""


class UnreadableMessage(ModuloError):
    """The message is none that this function understands; it ends in the dead-letter queue."""


def queue_handler(
    read: Callable[[Mapping[str, Any]], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
) -> QueueHandler:
    """The handler of an SQS event: answers which messages failed, so that only they come again.

    A failed message comes again after `retry_base_seconds` · 2ⁿ, n counting its retries from 0;
    after its last delivery the queue's redrive policy moves it to the dead-letter queue.
    """
    keep_ready(handle)

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        configure_logging(services().settings.log_level)
        failed = [record for record in event["Records"] if not _handled(delivery_of(record), read, handle, queue)]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    return handler


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """A record of an SQS event."""
    attempt = int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    return Delivery(record["messageId"], record["receiptHandle"], record["body"], attempt)


def record_of(delivery: Delivery) -> dict[str, Any]:
    """The record of an SQS event that a delivery would be."""
    return {
        "messageId": delivery.id,
        "receiptHandle": delivery.receipt,
        "body": delivery.body,
        "attributes": {"ApproximateReceiveCount": str(delivery.attempt)},
        "eventSource": "aws:sqs",
    }


def _handled(
    delivery: Delivery,
    read: Callable[[Mapping[str, Any]], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
) -> bool:
    request_id.set(delivery.id)
    try:
        for work in read(_json(delivery.body)):
            handle(work)
    except Exception as error:
        known = isinstance(error, ModuloError)
        log.warning("attempt %d failed: %s", delivery.attempt, error, exc_info=None if known else error)
        _postpone(delivery, queue(services()))
        return False
    return True


def _postpone(delivery: Delivery, queue: Queue) -> None:
    base = services().settings.retry_base_seconds
    try:
        queue.postpone(delivery.receipt, min(base * 2 ** (delivery.attempt - 1), LONGEST_POSTPONEMENT))
    except ModuloError as error:
        log.warning("retry left to the queue's visibility timeout: %s", error.detail)


def _json(body: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise UnreadableMessage
    return message


def uploads(message: Mapping[str, Any]) -> list[IngestRequest]:
    """The generations that a message to `ingest_file` names: an S3 notification, or a request of our own.

    Objects that are not uploads are passed over, as is the test event that S3 sends when a
    notification is set up.

    Raises:
        UnreadableMessage: it is neither.
    """
    if message.get("Event") == "s3:TestEvent":
        return []
    part: int | None = None
    match message:
        case {"ingest": str(key), "part": int(number)}:
            keys, part = [key], number
        case {"ingest": str(key)}:
            keys = [key]
        case {"Records": [*records]}:
            keys = [_created_key(record) for record in records]
        case _:
            raise UnreadableMessage
    return [IngestRequest(ref, part) for key in keys if (ref := FileRef.of_key(key))]


def _created_key(record: Any) -> str:
    match record:
        case {"eventName": str(name), "s3": {"object": {"key": str(key)}}}:
            # Notifications escape keys as forms do.
            return unquote_plus(key) if "ObjectCreated" in name else ""
    raise UnreadableMessage


def purges(message: Mapping[str, Any]) -> list[PurgeRequest]:
    """What a message to `purge` asks for.

    Raises:
        UnreadableMessage: it is no such message.
    """
    try:
        return [PurgeRequest.of(message)]
    except ValueError:
        raise UnreadableMessage from None
