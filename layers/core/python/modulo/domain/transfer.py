"""Values that pass between use cases and ports and are kept nowhere."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from modulo.domain.collection import Chunking, EmbeddingModel, Space
from modulo.domain.deletion import Tally
from modulo.domain.document import Part
from modulo.domain.errors import InvalidRequest
from modulo.domain.file import DocumentInfo, FileRef, OnDuplicate
from modulo.domain.identity import Role
from modulo.domain.passage import LiveDocument
from modulo.domain.value import Value


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a listing goes on: behind the item of that moment, with that id."""

    moment: datetime
    id: UUID

    def encode(self) -> str:
        """As clients pass it back: opaque."""
        return base64.urlsafe_b64encode(f"{self.moment.isoformat()}|{self.id}".encode()).decode()

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor a client passed back.

        Raises:
            InvalidRequest: it is none of ours.
        """
        try:
            written, _, identity = base64.urlsafe_b64decode(text.encode()).decode().partition("|")
            cursor = cls(datetime.fromisoformat(written), UUID(identity))
        except (ValueError, binascii.Error):
            cursor = None
        if cursor is None or cursor.moment.tzinfo is None:
            raise InvalidRequest.field("after", "is not a cursor that a listing returned")
        return cursor


@dataclass(frozen=True, slots=True)
class CollectionDraft:
    """A collection about to be created."""

    id: UUID
    name: str
    model: EmbeddingModel
    chunking: Chunking
    dedicated: bool


@dataclass(frozen=True, slots=True)
class FileDraft:
    """A file about to be uploaded; `checksum_sha256` is hexadecimal."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    deadline: datetime
    arrives_until: datetime | None = None
    """Until when its form can still bring bytes, again and again; None for bytes that come without one, once."""
    on_duplicate: OnDuplicate = OnDuplicate.new
    source_url: str | None = None
    """From where its bytes will be fetched; then their size is not known yet."""


class Member(Value):
    """A user of a collection."""

    user_id: UUID
    name: str
    role: Role


class Membership(Value):
    """The role to give."""

    role: Role


class PresignedPost(Value):
    """A form to be sent as multipart/form-data: the fields first, the file last, as `file`."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as its store describes it; `version` changes whenever the bytes do."""

    size_bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class Stored:
    """How many objects there are, and the bytes of all their versions."""

    objects: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A generation taken for ingestion; `token` fences off earlier claims of it."""

    ref: FileRef
    token: UUID
    attempt: int
    space: Space
    chunking: Chunking
    name: str
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    divided: bool = False
    part: Part | None = None
    """The part of a divided generation that it is a claim of; None where it is one of the whole."""


@dataclass(frozen=True, slots=True)
class PartResult:
    """What became of a part: its chunks, their `ContentHash`, and what its pages said of the document."""

    chunk_count: int
    content_hash: str
    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class Finished:
    """A part is ingested: how many are `left`; who ingested the last one holds the `whole` from then on."""

    left: int
    whole: Claim | None


@dataclass(frozen=True, slots=True)
class PartState:
    """A part of a divided generation; `result` is None until it is ingested."""

    part: Part
    result: PartResult | None


@dataclass(frozen=True, slots=True)
class Purge:
    """What is to be removed: a collection, a file, or the generations of a file that are no longer live.

    `tally` is the receipt's, where there is one: replaced generations go without.
    """

    space: Space
    file_id: UUID | None
    generations: tuple[int, ...] | None
    objects: tuple[int, ...] | None = None
    """The numbers whose objects go, where `generations` do: the others' are still read."""
    older: tuple[Space, ...] = ()
    """Where else the collection's vectors were before, or will be."""
    tally: Tally | None = None

    @property
    def tenant_id(self) -> UUID:
        """Whose it is."""
        return self.space.tenant_id

    @property
    def collection_id(self) -> UUID:
        """The collection it is, or is in."""
        return self.space.collection_id

    @property
    def spaces(self) -> tuple[Space, ...]:
        """Each place to remove vectors from, once."""
        return tuple({space.name: space for space in (self.space, *self.older)}.values())


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """A message to `purge`: a file, a collection, or a whole tenant."""

    tenant_id: UUID
    collection_id: UUID | None = None
    file_id: UUID | None = None

    def body(self) -> dict[str, object]:
        """As it is queued."""
        ids = {"tenant_id": self.tenant_id, "collection_id": self.collection_id, "file_id": self.file_id}
        return {name: str(found) if found else None for name, found in ids.items()}

    @classmethod
    def of(cls, body: Mapping[str, object]) -> "PurgeRequest":
        """A queued message.

        Raises:
            ValueError, KeyError: it is none of ours.
        """
        collection_id, file_id = body["collection_id"], body.get("file_id")
        return cls(
            UUID(str(body.get("tenant_id"))),
            UUID(str(collection_id)) if collection_id else None,
            UUID(str(file_id)) if collection_id and file_id else None,
        )


@dataclass(frozen=True, slots=True)
class Dismantled:
    """What a step of taking a deleted tenant apart found: what to purge, and whether the next step can follow at once.

    `tally` is the receipt's, once the metadata hold nothing of the tenant but its tombstone.
    """

    requests: tuple[PurgeRequest, ...]
    more: bool
    tally: Tally | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as a queue hands it out; `attempt` counts its deliveries from 1.

    `given_up_by` names the queue whose message it was before it came to the dead letters, where that is known.
    """

    id: str
    receipt: str
    body: str
    attempt: int
    sent_at: datetime | None = None
    given_up_by: str | None = None

    @classmethod
    def of(cls, message_id: str, receipt: str, body: str, attributes: Mapping[str, str]) -> "Delivery":
        """A delivery of SQS, with the attributes that it gives."""
        sent, source = attributes.get("SentTimestamp"), attributes.get("DeadLetterQueueSourceArn")
        return cls(
            message_id,
            receipt,
            body,
            int(attributes.get("ApproximateReceiveCount", "1")),
            datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
            source.rpartition(":")[2] if source else None,
        )


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """A message to `ingest_file`: a generation, or one part of a divided one."""

    ref: FileRef
    part: int | None = None

    def body(self) -> dict[str, object]:
        """As it is queued."""
        body: dict[str, object] = {"ingest": replace(self.ref, source=None).key}
        body |= {} if self.part is None else {"part": self.part}
        return body | ({} if self.ref.source in (None, self.ref.generation) else {"source": self.ref.source})


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A message to `fetch_url`: the generation whose bytes are to be fetched."""

    ref: FileRef

    def body(self) -> dict[str, object]:
        """As it is queued."""
        return {"fetch": self.ref.key}


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep ended and found."""

    failed: tuple[FileRef, ...]
    requeue: tuple[FileRef, ...]
    purge: tuple[PurgeRequest, ...]
    since: Mapping[str, datetime]
    """By each of these names that found any: the earliest deadline, end of a lease, or time set for a purge."""
    more: bool
    """Whether one of them reached the limit, so that more may be left."""
    forgotten: int = 0
    """Dead letters whose time was over."""
    due: datetime | None = None
    """When something that is known now is next to be ended, taken up, purged or switched; past, where it is already."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to search a collection."""

    space: Space
    version: int


@dataclass(frozen=True, slots=True)
class Matching:
    """A collection at one moment: the grant, and the files that meet the conditions of a search."""

    grant: Grant
    file_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Live:
    """A collection at one moment: the grant, the documents that are live, and whether the tokens were reserved."""

    grant: Grant
    documents: Mapping[UUID, LiveDocument]
    reserved: bool = True


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A value to be remembered for `ttl` seconds; 0 remembers nothing.

    `groups` are those by which it can be forgotten before: each within the one before it.
    """

    key: str
    value: bytes
    ttl: int
    groups: tuple[str, ...] = ()
