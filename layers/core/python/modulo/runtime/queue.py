"""From queued messages to use cases: every message stands alone, a failed one is delivered again later."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from modulo.domain.backoff import pause
from modulo.domain.errors import ModuloError
from modulo.domain.file import FileRef
from modulo.domain.transfer import Delivery, FetchRequest, PurgeRequest
from modulo.domain.watching import Farewell, PushRequest
from modulo.ports import Queue
from modulo.runtime.events import UnreadableMessage, json_object
from modulo.runtime.snapshot import keep_ready
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.services import Services, services

log = logging.getLogger(__name__)
Work = TypeVar("Work")
SETTLING: Final = timedelta(milliseconds=500)
"""A look that began so much later than a message was sent saw what it is about, though the clocks differ."""
GivenUpBy = Callable[[Delivery, Exception], None]
QueueHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def queue_handler(
    read: Callable[[Mapping[str, Any]], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
    given_up: GivenUpBy | None = None,
) -> QueueHandler:
    """The handler of messages that are JSON, an SQS event or not.

    An event that is not one of SQS is a message itself, as where S3, SNS or EventBridge invoke the
    function; should it fail, it is queued. `given_up` is told of what keeps the last delivery from its end.
    """
    deliver = delivery_handler(lambda delivery: read(json_object(delivery.body)), handle, queue, given_up)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if _is_batch(event):
            return deliver(event, context)
        configure_logging(services().settings.log_level)
        _invoked(event, read, handle, queue)
        return {"batchItemFailures": []}

    return handler


def delivery_handler(
    read: Callable[[Delivery], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
    given_up: GivenUpBy | None = None,
) -> QueueHandler:
    """The handler of an SQS event: answers which messages failed, so that only they come again.

    A failed message comes again after a pause that doubles with `retry_base_seconds`; after its last
    delivery the queue's redrive policy moves it to the dead letters, with no pause any more.
    """
    keep_ready(handle)

    def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        configure_logging(services().settings.log_level)
        failed = []
        for delivery in map(delivery_of, event["Records"]):
            error = _failure(delivery, read, handle)
            if error is None:
                continue
            failed.append({"itemIdentifier": delivery.id})
            last = delivery.attempt >= services().settings.ingest_attempts
            if last and given_up is not None:
                given_up(delivery, error)
            _postpone(delivery, error, queue(services()))
        return {"batchItemFailures": failed}

    return handler


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """A record of an SQS event."""
    return Delivery.of(record["messageId"], record["receiptHandle"], record["body"], record.get("attributes", {}))


def record_of(delivery: Delivery) -> dict[str, Any]:
    """The record of an SQS event that a delivery would be."""
    attributes = {"ApproximateReceiveCount": str(delivery.attempt)}
    if delivery.sent_at:
        attributes["SentTimestamp"] = str(round(delivery.sent_at.timestamp() * 1000))
    if delivery.given_up_by:
        attributes["DeadLetterQueueSourceArn"] = delivery.given_up_by
    return {
        "messageId": delivery.id,
        "receiptHandle": delivery.receipt,
        "body": delivery.body,
        "attributes": attributes,
        "eventSource": "aws:sqs",
    }


def _is_batch(event: Mapping[str, Any]) -> bool:
    """Whether an event is SQS's: each of its records can be received again."""
    records = event.get("Records")
    return isinstance(records, list) and all("receiptHandle" in record for record in records)


def _invoked(
    event: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
) -> None:
    asked = read(event)
    try:
        for work in asked:
            handle(work)
    except Exception as error:
        log.warning("queued, because it failed: %s", error, exc_info=None if isinstance(error, ModuloError) else error)
        queue(services()).send(event)


def _failure(
    delivery: Delivery, read: Callable[[Delivery], list[Work]], handle: Callable[[Work], object]
) -> Exception | None:
    """What kept a delivery from its end, which is logged."""
    request_id.set(delivery.id)
    try:
        for work in read(delivery):
            handle(work)
    except Exception as error:
        known = isinstance(error, ModuloError)
        log.warning("attempt %d failed: %s", delivery.attempt, error, exc_info=None if known else error)
        return error
    return None


def _postpone(delivery: Delivery, error: Exception, queue: Queue) -> None:
    s = services().settings
    asked = (error.retry_after if isinstance(error, ModuloError) else None) or 0
    later = pause(delivery.attempt, base=s.retry_base_seconds, key=delivery.id, asked=asked)
    try:
        queue.postpone(delivery.receipt, 0 if delivery.attempt == s.ingest_attempts else later)
    except ModuloError as problem:
        log.warning("retry left to the queue's visibility timeout: %s", problem.detail)


def fetches(message: Mapping[str, Any]) -> list[FetchRequest]:
    """The generation whose bytes a message to `fetch_url` asks for.

    Raises:
        UnreadableMessage: it is no such message.
    """
    ref = FileRef.of_key(str(message.get("fetch")))
    if ref is None:
        raise UnreadableMessage
    return [FetchRequest(ref)]


def purges(message: Mapping[str, Any]) -> list[PurgeRequest]:
    """What a message to `purge` asks for.

    Raises:
        UnreadableMessage: it is no such message.
    """
    try:
        return [PurgeRequest.of(message)]
    except (ValueError, KeyError):
        raise UnreadableMessage from None


def pushes(delivery: Delivery) -> list[PushRequest | Farewell]:
    """Whom a message to `push_events` asks to tell, or what to say last on a connection.

    Raises:
        UnreadableMessage: it is no such message.
    """
    message = json_object(delivery.body)
    try:
        if "connection_id" in message:
            return [Farewell(str(message["connection_id"]), str(message["message"]))]
        since = delivery.sent_at + SETTLING if delivery.sent_at else None
        return [PushRequest(UUID(str(message["tenant_id"])), UUID(str(message["collection_id"])), since)]
    except (ValueError, KeyError):
        raise UnreadableMessage from None
