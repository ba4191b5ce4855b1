"""Who watches a collection, how far they have been told, and what they are told at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from uuid import UUID

from modulo.domain.file import File, Stage
from modulo.domain.identity import Principal
from modulo.domain.progress import FileProgress, Snapshot

OVERLAP: Final = timedelta(seconds=10)
"""How much later than it says a change may come to light: clocks differ, transactions and replication take time."""
LONGEST_ABSENCE: Final = timedelta(hours=1)
MOST_OF_A_USER: Final = 20
"""Connections, of one server's or of API Gateway's: a page needs one, and who leaks them must not take everybody's."""
MOST_BYTES: Final = 120 * 1024
"""Of a message on a connection of API Gateway, which passes 128 KB on."""
_DIGEST_BYTES: Final = 8

News = Snapshot | list[FileProgress]


@dataclass(slots=True)
class Watch:
    """How far somebody who watches a collection has been told."""

    looked_at: datetime | None = None
    told: frozenset[bytes] = frozenset()
    """Digests of what was told and the next look finds again."""

    @classmethod
    def resumed(cls, position: str | None, now: datetime) -> "Watch":
        """Where a watcher was; at the beginning where the position is none, foreign or too old."""
        try:
            moment = datetime.fromisoformat(position or "")
        except ValueError:
            return cls()
        known = moment.tzinfo is not None and now - LONGEST_ABSENCE < moment <= now
        return cls(moment if known else None)

    @property
    def position(self) -> str:
        """By what to go on later."""
        return self.looked_at.isoformat() if self.looked_at else ""

    def note(self, files: list[File], now: datetime) -> list[FileProgress]:
        """What is new of all that was found now."""
        found = {_digest(progress): progress for progress in map(FileProgress.of, files)}
        new = [progress for digest, progress in found.items() if digest not in self.told]
        self.told = frozenset(digest for digest, progress in found.items() if progress.updated_at >= now - OVERLAP)
        self.looked_at = now
        return new


def _digest(progress: FileProgress) -> bytes:
    return blake2b(progress.model_dump_json().encode(), digest_size=_DIGEST_BYTES).digest()


def packed(told: frozenset[bytes]) -> bytes:
    """Digests as they are stored."""
    return b"".join(sorted(told))


def unpacked(stored: bytes) -> frozenset[bytes]:
    """Digests as they were stored."""
    return frozenset(stored[at : at + _DIGEST_BYTES] for at in range(0, len(stored), _DIGEST_BYTES))


class Told(NamedTuple):
    """What a watcher is told at a time: events as names with JSON, and the place to go on from, where there is one."""

    events: list[tuple[str, str]]
    position: str | None

    @classmethod
    def of(cls, news: News, position: str) -> "Told":
        """What a look found."""
        told = [("snapshot", news)] if isinstance(news, Snapshot) else [("file", progress) for progress in news]
        return cls([(event, value.model_dump_json()) for event, value in told], position)

    @property
    def message(self) -> str:
        """As it is said on a WebSocket."""
        events = ",".join(f'{{"event":"{name}","data":{data}}}' for name, data in self.events)
        position = f',"id":"{self.position}"' if self.position else ""
        return f'{{"events":[{events}]{position}}}'


def fitting(news: News, position: str) -> str:
    """The message of what a look found, as API Gateway passes it on.

    What is too much is told as what there is, without what has not changed for longest.
    """
    message = Told.of(news, position).message
    files = news.files if isinstance(news, Snapshot) else tuple(news)
    while len(message.encode()) > MOST_BYTES:
        files = tuple(file for file in files[(len(files) + 1) // 2 :] if file.stage is not Stage.deleting)
        message = Told.of(Snapshot(files=files, complete=False), position).message
    return message


@dataclass(frozen=True, slots=True)
class WatcherDraft:
    """A connection that API Gateway keeps, and how far who watches on it has been told."""

    connection_id: str
    looked_at: datetime | None
    """Where they were; None at the beginning."""
    key_hash: bytes | None
    """Of the API key they came with, which must go on being valid."""
    expires_at: datetime | None
    """When the token ends that they came with."""
    closes_at: datetime
    """When API Gateway will have closed the connection."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches, held by who is going to tell them what is new."""

    connection_id: str
    principal: Principal
    collection_id: UUID
    admitted: bool
    """Whether the credential they came with is still valid."""
    looked_at: datetime | None
    told: frozenset[bytes]
    told_at: datetime
    """When they were told something last, or began."""
    lease: UUID


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A message to `push_events`: tell those who watch the collection what is new."""

    tenant_id: UUID
    collection_id: UUID
    since: datetime | None = None
    """Who was looked for later than this is told all that the message is about."""

    def body(self) -> dict[str, object]:
        """As it is queued."""
        return {"tenant_id": str(self.tenant_id), "collection_id": str(self.collection_id)}


@dataclass(frozen=True, slots=True)
class Farewell:
    """A message to `push_events`: say a last thing on a connection and close it."""

    connection_id: str
    message: str

    def body(self) -> dict[str, object]:
        """As it is queued."""
        return {"connection_id": self.connection_id, "message": self.message}
