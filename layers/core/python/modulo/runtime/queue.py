"""From queued messages to use cases: each message succeeds or fails alone; a failed one is delivered again later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from modulo.domain.backoff import retry_delay
from modulo.domain.errors import ModuloError
from modulo.domain.operations.messages import Delivery
from modulo.runtime.events import json_object
from modulo.runtime.snapshot import preload_in_snapshots
from modulo.runtime.spans import Origin, span
from modulo.runtime.telemetry import (
    NAMED_IDS,
    add_log_fields,
    begin_trace,
    count_failure,
    ended,
    ids_of,
    invocation,
    outcome_of,
    request_id,
    set_log_fields,
)
from modulo.services import Services, services

if TYPE_CHECKING:
    from modulo.ports.queue import Queue

TRACE: Final = "traceparent"
"""The attribute of messages that tells their trace."""
log = logging.getLogger(__name__)
Work = TypeVar("Work")
GivenUpBy = Callable[[Delivery, Exception], None]
PostponedBy = Callable[[Delivery, Exception, int], None]
QueueHandler = Callable[[dict[str, Any], Any], dict[str, Any]]


def queue_handler(
    read: Callable[[Mapping[str, Any]], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
    given_up: GivenUpBy | None = None,
    *,
    postponed: PostponedBy | None = None,
    uses: Sequence[str] = (),
) -> QueueHandler:
    """The handler of messages that are JSON, an SQS event or not.

    An event that is not one of SQS is a message itself, as where S3, SNS or EventBridge invoke the
    function; should it fail, it is queued. `given_up` is called when a message's last delivery fails,
    `postponed` with the seconds until the next one when any other fails.
    """
    deliver = delivery_handler(
        lambda delivery: read(json_object(delivery.body)), handle, queue, given_up, postponed=postponed, uses=uses
    )

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if _is_batch(event):
            return deliver(event, context)
        with invocation(context):
            _invoked(event, read, handle, queue)
        return {"batchItemFailures": []}

    return handler


def delivery_handler(
    read: Callable[[Delivery], list[Work]],
    handle: Callable[[Work], object],
    queue: Callable[[Services], Queue],
    given_up: GivenUpBy | None = None,
    *,
    postponed: PostponedBy | None = None,
    uses: Sequence[str] = (),
) -> QueueHandler:
    """The handler of an SQS event: answers which messages failed, so that only they come again.

    A failed message comes again after a pause that doubles with `retry_base_seconds`. After its last delivery the
    queue's redrive policy moves it to the dead letters, with no pause any more. Where the queue has no such policy,
    deliveries beyond the last pause again.
    `uses` names the ports of `Services` that the work uses, which a SnapStart snapshot holds ready.
    """
    preload_in_snapshots(uses)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with invocation(context) as fields:
            failed = []
            for delivery in map(delivery_of, event["Records"]):
                request_id.set(delivery.id)
                begin_trace(delivery.trace)
                set_log_fields(**fields, request_id=delivery.id, attempt=delivery.attempt)
                with span(fields.get("function_name", "message"), Origin.message) as made:
                    made.attributes["messaging.message.id"] = delivery.id
                    error = _failure(delivery, read, handle)
                    made.outcome = None if error is None else outcome_of(error)
                if error is None:
                    continue
                failed.append({"itemIdentifier": delivery.id})
                last = delivery.attempt >= services().settings.ingest_attempts
                if last and given_up is not None:
                    given_up(delivery, error)
                _postpone(delivery, error, queue(services()), postponed)
        return {"batchItemFailures": failed}

    return handler


def delivery_of(record: Mapping[str, Any]) -> Delivery:
    """A record of an SQS event."""
    told = record.get("messageAttributes", {}).get(TRACE, {}).get("stringValue")
    return Delivery.of(
        record["messageId"],
        record["receiptHandle"],
        record["body"],
        record.get("attributes", {}),
        trace=told if isinstance(told, str) else None,
    )


def record_of(delivery: Delivery) -> dict[str, Any]:
    """The record of an SQS event that a delivery would be."""
    attributes = {"ApproximateReceiveCount": str(delivery.attempt)}
    if delivery.sent_at:
        attributes["SentTimestamp"] = str(round(delivery.sent_at.timestamp() * 1000))
    if delivery.source_queue:
        attributes["DeadLetterQueueSourceArn"] = delivery.source_queue
    return {
        "messageId": delivery.id,
        "receiptHandle": delivery.receipt,
        "body": delivery.body,
        "attributes": attributes,
        "messageAttributes": {TRACE: {"stringValue": delivery.trace, "dataType": "String"}} if delivery.trace else {},
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
    started = perf_counter()
    try:
        outcome = _handled(asked, handle)
    except Exception as error:
        count_failure(error)
        traceback = None if isinstance(error, ModuloError) else error
        log.warning(
            "event%s failed, so it is queued: %s",
            *(_subject(asked), error),
            exc_info=traceback,
            extra=ended(outcome_of(error), started),
        )
        queue(services()).send(event)
    else:
        log.info("event%s handled", _subject(asked), extra=ended(outcome, started))


def _failure(
    delivery: Delivery, read: Callable[[Delivery], list[Work]], handle: Callable[[Work], object]
) -> Exception | None:
    """Handle a delivery; what kept it from its end. Either way one line tells how it ended."""
    started = perf_counter()
    asked: list[Work] = []
    try:
        asked = read(delivery)
        outcome = _handled(asked, handle)
    except Exception as error:
        count_failure(error)
        traceback = None if isinstance(error, ModuloError) else error
        log.warning(
            "message %s%s failed on attempt %d: %s",
            *(delivery.id, _subject(asked), delivery.attempt, error),
            exc_info=traceback,
            extra=ended(outcome_of(error), started),
        )
        return error
    log.info("message %s%s handled", delivery.id, _subject(asked), extra=ended(outcome, started))
    return None


def _handled(asked: list[Work], handle: Callable[[Work], object]) -> str:
    """Do what a message asks for; the outcomes that the use case tells of, or `done`."""
    outcomes = []
    for work in asked:
        add_log_fields(**_ids(work))
        outcome = handle(work)
        if isinstance(outcome, StrEnum):
            outcomes.append(outcome.value)
    return ",".join(outcomes) or "done"


def _subject(asked: Sequence[object]) -> str:
    """What a message is about, to follow its id in a log line: each file, collection or tenant."""
    found = []
    for ids in map(_ids, asked):
        found += [
            f"{name.removesuffix('_id')} {ids[name]}"
            for name in ("file_id", "collection_id", "tenant_id")
            if name in ids
        ][:1]
    return f" ({', '.join(found)})" if found else ""


def _ids(work: object) -> dict[str, str]:
    """The ids in what is asked for, which names a file's generation or holds the ids itself."""
    named = getattr(work, "ref", None) or work
    return ids_of({name: getattr(named, name, None) for name in NAMED_IDS})


def _postpone(delivery: Delivery, error: Exception, queue: Queue, postponed: PostponedBy | None) -> None:
    s = services().settings
    asked = (error.retry_after if isinstance(error, ModuloError) else None) or 0
    later = retry_delay(delivery.attempt, base_seconds=s.retry_base_seconds, key=delivery.id, retry_after=asked)
    redriven = delivery.attempt == s.ingest_attempts
    if postponed is not None and delivery.attempt < s.ingest_attempts:
        try:
            postponed(delivery, error, later)
        except Exception as problem:  # the message is delivered again all the same
            log.warning("message %s: its next try was not recorded: %s", delivery.id, problem)
    try:
        queue.postpone(delivery.receipt, 0 if redriven else later)
    except ModuloError as problem:
        log.warning(
            "message %s not postponed, it returns after the queue's visibility timeout: %s", delivery.id, problem.detail
        )
