"""What says that bytes arrived, in whatever envelope: one reader of object stores' events and of our own messages."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote_plus

from modulo.domain.errors import DeadMessage
from modulo.domain.file import FileRef
from modulo.domain.transfer import IngestRequest
from modulo.services import services
from modulo.settings import MEMORY

DEEPEST: Final = 4
"""How many envelopes may lie inside one another."""
_CREATED = re.compile(r"(?:^|[.:])ObjectCreated(?::|$)", re.IGNORECASE)


class UnreadableMessage(DeadMessage):
    """The message is none that this function understands; in a queue it ends among the dead letters."""

    status = 400
    title = "Unreadable message"


@dataclass(frozen=True, slots=True)
class _Change:
    """What an event says of an object; `sequencer` orders the changes of one key, where the store gives one."""

    key: str
    created: bool = True
    bucket: str | None = None
    sequencer: str = ""
    part: int | None = None
    source: int | None = None

    def outdates(self, other: "_Change") -> bool:
        """Whether it is the later change of the same object; where that cannot be told, bytes that came count."""
        if not (self.sequencer and other.sequencer):
            return self.created
        width = max(len(self.sequencer), len(other.sequencer))
        return self.sequencer.lower().ljust(width, "0") > other.sequencer.lower().ljust(width, "0")


def uploads(message: Mapping[str, Any]) -> list[IngestRequest]:
    """The generations that a message to `ingest_file` names, each once.

    Understood are S3's and MinIO's notifications, EventBridge's events of S3, any of them inside an SNS
    notification or a CloudEvent, and requests of our own. Objects that are no uploads or lie in other
    buckets, removals and the test event of a new notification are passed over. Of several changes of one
    object the last one decides.

    Raises:
        UnreadableMessage: it is none of these.
    """
    last: dict[tuple[str, int | None], _Change] = {}
    for change in _changes(message, 0):
        known = last.get((change.key, change.part))
        if known is None or change.outdates(known):
            last[change.key, change.part] = change
    ours = services().settings.blobs_bucket
    return [
        IngestRequest(replace(ref, source=change.source), change.part)
        for change in last.values()
        if change.created and (ours == MEMORY or change.bucket in (None, ours)) and (ref := FileRef.of_key(change.key))
    ]


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
    if depth > DEEPEST:
        raise UnreadableMessage
    enclosed = _enclosed(message)
    if enclosed is None:
        yield _change(message)
        return
    for inner in enclosed:
        yield from _changes(inner, depth + 1)


def _enclosed(message: Any) -> Iterable[Any] | None:
    """What an envelope holds; None where it is none."""
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
