"""Queue messages: their deliveries, and the requests that they carry."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from modulo.domain.files.file import FileRef


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a message; `attempt` counts the deliveries from 1.

    `source_queue` is the queue that a message in the dead-letter queue came from, where that is known.
    """

    id: str
    receipt: str
    body: str
    attempt: int
    sent_at: datetime | None = None
    source_queue: str | None = None
    trace: str | None = None
    """The `traceparent` of who sent it."""

    @classmethod
    def of(
        cls, message_id: str, receipt: str, body: str, attributes: Mapping[str, str], *, trace: str | None = None
    ) -> "Delivery":
        """A delivery by SQS, with its attributes."""
        sent, source = attributes.get("SentTimestamp"), attributes.get("DeadLetterQueueSourceArn")
        return cls(
            id=message_id,
            receipt=receipt,
            body=body,
            attempt=int(attributes.get("ApproximateReceiveCount", "1")),
            sent_at=datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
            source_queue=source.rpartition(":")[2] if source else None,
            trace=trace,
        )


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """A message to `ingest_file`: a generation, or one part of a divided one."""

    ref: FileRef
    part: int | None = None

    def body(self) -> dict[str, object]:
        """The body of the queue message."""
        body: dict[str, object] = {"ingest": replace(self.ref, source=None).key}
        body |= {} if self.part is None else {"part": self.part}
        return body | ({} if self.ref.source in (None, self.ref.generation) else {"source": self.ref.source})


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A message to `fetch_url`: the generation whose bytes are to be fetched."""

    ref: FileRef

    def body(self) -> dict[str, object]:
        """The body of the queue message."""
        return {"fetch": self.ref.key}


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A message to `push_events`: push what is new to the subscribers of a collection."""

    tenant_id: UUID
    collection_id: UUID
    since: datetime | None = None
    """Subscriptions that were pushed to later than this have what the message is about, and are skipped."""

    def body(self) -> dict[str, object]:
        """The body of the queue message."""
        return {"tenant_id": str(self.tenant_id), "collection_id": str(self.collection_id)}


@dataclass(frozen=True, slots=True)
class ClosingMessage:
    """A message to `push_events`: send a last message on a connection and close it."""

    connection_id: str
    message: str

    def body(self) -> dict[str, object]:
        """The body of the queue message."""
        return {"connection_id": self.connection_id, "message": self.message}
