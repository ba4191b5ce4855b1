"""What is sent to a subscriber at a time: events, and the position to resume from."""

from typing import Final, NamedTuple

from modulo.domain.files.file import Stage
from modulo.domain.files.progress import FileProgress, Snapshot

MAX_PUSH_BYTES: Final = 120 * 1024
"""Largest message pushed through API Gateway, which passes on 128 KB."""

FileChanges = Snapshot | list[FileProgress]
"""What one look at a collection found: everything at first, then the files that changed."""


class EventBatch(NamedTuple):
    """Events as names with their JSON, and the id to resume after; no id means that the stream is over."""

    events: list[tuple[str, str]]
    last_event_id: str | None

    @classmethod
    def of(cls, changes: FileChanges, last_event_id: str) -> "EventBatch":
        """One `snapshot` event, or a `file` event for each change."""
        found = [("snapshot", changes)] if isinstance(changes, Snapshot) else [("file", file) for file in changes]
        return cls([(event, value.model_dump_json(exclude_none=True)) for event, value in found], last_event_id)

    @property
    def message(self) -> str:
        """The batch as one WebSocket message."""
        events = ",".join(f'{{"event":"{name}","data":{data}}}' for name, data in self.events)
        last_event_id = f',"id":"{self.last_event_id}"' if self.last_event_id else ""
        return f'{{"events":[{events}]{last_event_id}}}'


def push_message(changes: FileChanges, last_event_id: str) -> str:
    """The changes as one WebSocket message of at most `MAX_PUSH_BYTES`.

    Changes that do not fit are sent as an incomplete snapshot, without the files that changed first.
    """
    message = EventBatch.of(changes, last_event_id).message
    files = changes.files if isinstance(changes, Snapshot) else tuple(changes)
    while len(message.encode()) > MAX_PUSH_BYTES:
        files = tuple(file for file in files[(len(files) + 1) // 2 :] if file.stage is not Stage.deleting)
        message = EventBatch.of(Snapshot(files=files, complete=False), last_event_id).message
    return message
