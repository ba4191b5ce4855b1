"""Readers of the messages of every event function, and of object stores' events in whatever envelope."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

from modulo.domain.errors import DeadMessage
from modulo.domain.files.file import FileRef
from modulo.domain.operations.messages import ClosingMessage, Delivery, FetchRequest, IngestRequest, PushRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.services import services

CLOCK_SKEW: Final = timedelta(milliseconds=500)
"""By how much the clocks of whoever sends a message and whoever reads the database may differ."""
MAX_ENVELOPES: Final = 4
"""How deep envelopes may be nested."""
_CREATED = re.compile(r"(?:^|[.:])ObjectCreated(?::|$)", re.IGNORECASE)


class UnreadableMessage(DeadMessage):
    """This function cannot read the message; in a queue it ends as a dead letter."""

    status = 400
    title = "Unreadable message"


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of an object, from an event; `sequencer` orders the changes of one key, where the store gives one."""

    key: str
    created: bool = True
    bucket: str | None = None
    sequencer: str = ""
    part: int | None = None
    source: int | None = None

    def outdates(self, other: "_Change") -> bool:
        """Whether this change of the same object is the later one; without sequencers, a creation wins."""
        if not (self.sequencer and other.sequencer):
            return self.created
        width = max(len(self.sequencer), len(other.sequencer))
        return self.sequencer.lower().ljust(width, "0") > other.sequencer.lower().ljust(width, "0")


def uploads(message: Mapping[str, Any]) -> list[IngestRequest]:
    """The generations that a message to `ingest_file` asks for, each once.

    Reads notifications of S3 and MinIO, EventBridge's S3 events, any of them inside an SNS notification or a
    CloudEvent, and our own requests. Objects that are no uploads or lie in other
    buckets, removals and the test event of a new notification are ignored. Of several changes of one
    object the last one decides.

    Raises:
        UnreadableMessage: it is none of these.
    """
    last: dict[tuple[str, int | None], _Change] = {}
    for change in _changes(message, 0):
        known = last.get((change.key, change.part))
        if known is None or change.outdates(known):
            last[change.key, change.part] = change
    return [
        IngestRequest(replace(ref, source=change.source), change.part)
        for change in last.values()
        if change.created and _ours(change.bucket) and (ref := FileRef.of_key(change.key))
    ]


def _ours(bucket: str | None) -> bool:
    return bucket is None or bucket == services().settings.address("blobs_bucket")


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
    """The purge that a message to `purge` asks for.

    Raises:
        UnreadableMessage: it is no such message.
    """
    try:
        return [PurgeRequest.of(message)]
    except (ValueError, KeyError):
        raise UnreadableMessage from None


def pushes(delivery: Delivery) -> list[PushRequest | ClosingMessage]:
    """The push that a message to `push_events` asks for, or the closing message of a connection.

    Raises:
        UnreadableMessage: it is no such message.
    """
    message = json_object(delivery.body)
    try:
        if "connection_id" in message:
            return [ClosingMessage(str(message["connection_id"]), str(message["message"]))]
        since = delivery.sent_at + CLOCK_SKEW if delivery.sent_at else None
        return [PushRequest(UUID(str(message["tenant_id"])), UUID(str(message["collection_id"])), since)]
    except (ValueError, KeyError):
        raise UnreadableMessage from None


def json_object(text: str | bytes) -> Mapping[str, Any]:
    """The JSON object that a message is.

    Raises:
        UnreadableMessage: it is none.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise UnreadableMessage
    return message


def _changes(message: Any, depth: int) -> Iterator[_Change]:
    if depth > MAX_ENVELOPES:
        raise UnreadableMessage
    enclosed = _enclosed(message)
    if enclosed is None:
        yield _change(message)
        return
    for inner in enclosed:
        yield from _changes(inner, depth + 1)


def _enclosed(message: Any) -> Iterable[Any] | None:
    """The messages in an envelope; None where this is not an envelope."""
    match message:
        case {"Event": "s3:TestEvent"}:
            return ()
        case {"Records": [*records]}:
            return records
        case {"specversion": "1.0", "type": str(kind)}:
            return [_data(message, kind)]
        case {"Type": "Notification", "Message": str(text)} | {"Sns": {"Message": str(text)}}:
            return [json_object(text)]
    return None


def _change(message: Any) -> _Change:
    match message:
        case {"ingest": str(key)}:
            return _Change(key, part=_number(message.get("part")), source=_number(message.get("source")))
        case {"source": "aws.s3", "detail-type": str(kind), "detail": {"object": {"key": str(key)}}}:
            return _stored(message["detail"], key, created=kind == "Object Created")
        case {"eventName": str(name), "s3": {"object": {"key": str(key)}}}:
            # Notifications escape keys as forms do; events do not.
            return _stored(message["s3"], unquote_plus(key), created=_CREATED.search(name) is not None)
        case {"EventName": str(name), "Key": str(path)}:
            bucket, _, key = path.partition("/")
            return _Change(key, created=_CREATED.search(name) is not None, bucket=bucket)
    raise UnreadableMessage


def _stored(where: Mapping[str, Any], key: str, *, created: bool) -> _Change:
    """A change as S3 describes it, in notifications and events alike."""
    sequencer, bucket = where["object"].get("sequencer"), where.get("bucket")
    name = bucket.get("name") if isinstance(bucket, dict) else None
    return _Change(
        key,
        created=created,
        bucket=name if isinstance(name, str) else None,
        sequencer=sequencer if isinstance(sequencer, str) else "",
    )


def _number(number: Any) -> int | None:
    if number is not None and (type(number) is not int or number < 0):
        raise UnreadableMessage
    return number


def _data(event: Mapping[str, Any], kind: str) -> Any:
    """What a CloudEvent carries; a bare record of S3's is named by the event's type where it has no name itself."""
    data = event.get("data")
    if isinstance(encoded := event.get("data_base64"), str):
        try:
            data = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise UnreadableMessage from None
    if isinstance(data, str | bytes):
        data = json_object(data)
    return {"eventName": kind, **data} if isinstance(data, dict) and "s3" in data else data
