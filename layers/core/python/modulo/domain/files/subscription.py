"""Subscriptions to a collection's files, and the position of a subscriber in their changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from modulo.domain.files.file import File
from modulo.domain.files.progress import FileProgress
from modulo.domain.tenancy.identity import Principal

OVERLAP: Final = timedelta(seconds=10)
"""How far each look reaches back behind the last: clocks differ, and transactions and replication take time."""
RESUME_WINDOW: Final = timedelta(hours=1)
"""How long a position can be resumed from; later, the subscriber starts again with a snapshot."""
MAX_STREAMS_PER_USER: Final = 20
"""Open streams of one server, or connections of API Gateway. A page needs one; the limit contains clients that leak."""
_DIGEST_BYTES: Final = 8


@dataclass(slots=True)
class StreamPosition:
    """A subscriber's position: when changes were last read, and what was sent of the overlap."""

    looked_at: datetime | None = None
    """None until the first look."""
    delivered: frozenset[bytes] = frozenset()
    """Digests of what was sent and the next look will find again."""

    @classmethod
    def resume(cls, last_event_id: str | None, now: datetime) -> "StreamPosition":
        """The position behind an event; the beginning where the id is missing, not ours or too old."""
        try:
            moment = datetime.fromisoformat(last_event_id or "")
        except ValueError:
            return cls()
        known = moment.tzinfo is not None and now - RESUME_WINDOW < moment <= now
        return cls(moment if known else None)

    @property
    def last_event_id(self) -> str:
        """The id that clients send to resume here; empty at the beginning."""
        return self.looked_at.isoformat() if self.looked_at else ""

    def advance(self, files: list[File], now: datetime) -> list[FileProgress]:
        """Move to `now`, when these files were read; the progress among them that was not sent yet."""
        found = {_digest(progress): progress for progress in map(FileProgress.of, files)}
        new = [progress for digest, progress in found.items() if digest not in self.delivered]
        self.delivered = frozenset(digest for digest, progress in found.items() if progress.updated_at >= now - OVERLAP)
        self.looked_at = now
        return new


def _digest(progress: FileProgress) -> bytes:
    return blake2b(progress.model_dump_json().encode(), digest_size=_DIGEST_BYTES).digest()


def encode_digests(delivered: frozenset[bytes]) -> bytes:
    """Digests as they are stored: sorted, one behind the other."""
    return b"".join(sorted(delivered))


def decode_digests(stored: bytes) -> frozenset[bytes]:
    """The digests that `encode_digests` wrote."""
    return frozenset(stored[at : at + _DIGEST_BYTES] for at in range(0, len(stored), _DIGEST_BYTES))


@dataclass(frozen=True, slots=True)
class SubscriptionDraft:
    """A subscription about to be stored: a connection that API Gateway keeps, and where its client resumes."""

    connection_id: str
    looked_at: datetime | None
    """The position to resume from; None to start with a snapshot."""
    key_hash: bytes | None
    """Of the API key that authenticated the client; it must stay valid."""
    expires_at: datetime | None
    """When the bearer token that authenticated the client expires."""
    closes_at: datetime
    """When API Gateway will have closed the connection."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A stored subscription, leased by the one who is about to push to it."""

    connection_id: str
    principal: Principal
    collection_id: UUID
    authorized: bool
    """Whether the credential behind it is still valid."""
    looked_at: datetime | None
    delivered: frozenset[bytes]
    delivered_at: datetime
    """When something was last sent, or the subscription began."""
    lease: UUID
