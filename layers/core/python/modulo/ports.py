"""One protocol for each thing outside; the tenant always comes first.

Every method raises `Unavailable` when the thing behind it does not answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from threading import Event
from typing import BinaryIO, Protocol
from uuid import UUID

from modulo.domain.answer import Draft, Prompt
from modulo.domain.archive import ArchivedFile
from modulo.domain.chunk import EmbeddedChunk
from modulo.domain.collection import Chunking, Collection, EmbeddingModel, Space
from modulo.domain.deletion import Deletion, Held, Tally
from modulo.domain.document import Extent, Page, Part
from modulo.domain.file import DocumentInfo, File, FileProblem, FileRef, Stage
from modulo.domain.filters import Condition
from modulo.domain.identity import ApiKey, Principal, Role, Tenant, User
from modulo.domain.letter import Burial, BuriedLetter, DeadLetter, LetterPage
from modulo.domain.passage import Hit
from modulo.domain.quota import Quotas, Reservation, Usage
from modulo.domain.reembedding import Reembedding, ReembeddingDraft, Started, State
from modulo.domain.transfer import (
    CacheEntry,
    Claim,
    CollectionDraft,
    Cursor,
    Delivery,
    Dismantled,
    FileDraft,
    Finished,
    Grant,
    Live,
    Matching,
    Member,
    ObjectInfo,
    PartResult,
    PartState,
    PresignedPost,
    Purge,
    Stored,
    Swept,
)
from modulo.domain.value import Listing
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft
from modulo.domain.web import NO_VALIDATORS, Arrival, Fetch, Fetched, Known, Validators


class Clock(Protocol):
    """The time, so that tests may set it."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def pause(self, seconds: float, unless: Event) -> bool:
        """Wait so long, or until the event is set; whether it is."""
        ...


class Tokens(Protocol):
    """Bearer tokens of an identity provider."""

    def principal(self, token: str) -> Principal:
        """Whom a token speaks for, once its signature, issuer, audience and times are verified.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...

    def subject(self, token: str) -> str:
        """Who a token was issued to, in the issuer's own words, once it is verified.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...

    def expires_at(self, token: str) -> datetime:
        """When a token ends, once it is verified.

        Raises:
            Unauthenticated: the token is not valid here.
        """
        ...


class Blobs(Protocol):
    """Objects: the uploaded bytes."""

    def presigned_post(
        self, ref: FileRef, *, media_type: str, size_bytes: int, checksum_sha256: str | None, expires_in: int
    ) -> PresignedPost:
        """A form by which exactly these bytes may be uploaded; the checksum is hexadecimal."""
        ...

    def presigned_get(self, ref: FileRef, *, name: str, media_type: str, expires_in: int) -> str:
        """An address from which the object can be downloaded under the given name for `expires_in` seconds."""
        ...

    def put(self, ref: FileRef, content: bytes, *, media_type: str) -> None:
        """Store the object, replacing what the key held."""
        ...

    def info(self, ref: FileRef) -> ObjectInfo | None:
        """Size and version of the object, or None where there is none."""
        ...

    def open(self, ref: FileRef) -> BinaryIO:
        """The object's bytes as a seekable file, spooled to disk when large.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def delete(self, tenant_id: UUID, prefix: str) -> int:
        """Delete every object of the tenant whose key begins with `prefix`; the number deleted."""
        ...

    def count(self, tenant_id: UUID, prefix: str) -> Stored:
        """What there is of those that `delete` would delete."""
        ...

    def ping(self) -> None:
        """Ask for something small."""
        ...


class Web(Protocol):
    """Other people's servers."""

    def fetch(self, url: str, *, max_bytes: int, known: Validators = NO_VALIDATORS) -> Fetched | None:
        """What an address answers with, at most so many bytes; None where it still is what is known by these.

        Raises:
            RefusedUrl: it, or where it leads on to, may not be fetched.
            DeniedUrl: its server refuses it.
            UnreachableUrl: its server does not answer, for now.
            UnsupportedFile, OversizedFile: what it answers with cannot be read.
        """
        ...


class Queue(Protocol):
    """A queue of one kind of message, delivered at least once."""

    def send(self, body: Mapping[str, object], *, delay_seconds: int = 0) -> None:
        """Add a message, a JSON object, to be delivered after so many seconds."""
        ...

    def receive(self, *, limit: int, wait_seconds: int) -> list[Delivery]:
        """Up to `limit` messages; where there is none yet, wait so long for one."""
        ...

    def delete(self, receipt: str) -> None:
        """End a delivery: its message was handled."""
        ...

    def postpone(self, receipt: str, seconds: int) -> None:
        """Have a delivery's message delivered again after so many seconds."""
        ...

    def pending(self) -> int:
        """About how many messages it holds: those that wait, and those delivered and not ended yet."""
        ...

    def ping(self) -> None:
        """Ask for something small."""
        ...


class Sockets(Protocol):
    """Connections of browsers that API Gateway keeps, each known by its id."""

    def tell(self, connection_id: str, message: str) -> bool:
        """Say something; False where the connection is gone."""
        ...

    def end(self, connection_id: str) -> None:
        """Close the connection, if it is there."""
        ...


class Parser(Protocol):
    """A reader of one format."""

    def parse(self, content: BinaryIO) -> "Parsed":
        """Open a document.

        Raises:
            FileRejected: the document cannot be read, as the subclass says.
        """
        ...


class Parsed(Protocol):
    """An opened document."""

    info: DocumentInfo
    extent: Extent | None
    """By what it can be divided, where it can."""

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        """The pages in order, each read when asked for: all, or those of one part, which may hold no text.

        Raises:
            FileRejected: the document cannot be read on, as the subclass says.
        """
        ...


class Unpacker(Protocol):
    """A reader of archives."""

    def unpack(self, content: BinaryIO) -> Iterator[ArchivedFile]:
        """The files of an archive and of those in it, in order, each read when asked for.

        Raises:
            FileRejected: it is no archive that can be read, as the subclass says.
        """
        ...


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    def embed(self, model: EmbeddingModel, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in order, finite and of the model's dimensions.

        Raises:
            Throttled: the model takes no more just now.
            RefusedByModel: the model refuses the texts, or one of them.
            BadModelAnswer: the vectors are not of that form.
        """
        ...

    def ping(self) -> None:
        """Ask for something small."""
        ...


class Reranker(Protocol):
    """A model that reads a question and a text together."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, from 0 to 1, in the order of the texts.

        Raises:
            Throttled: the model takes no more just now.
            BadModelAnswer: the scores are not of that form.
        """
        ...

    def ping(self) -> None:
        """Ask for something small."""
        ...


class Generator(Protocol):
    """What writes answers."""

    name: str
    """The kind of generator and its model, such as "extractive" or "openai:gpt-5-mini"."""

    def reserve(self, prompt: Prompt) -> int:
        """The most tokens that `generate` may use for the prompt; 0 where nothing is metered."""
        ...

    def generate(self, prompt: Prompt) -> Draft:
        """A draft that marks with [n] the passages it rests on; empty where they do not answer the question.

        Raises:
            Throttled: the model takes no more just now.
            BadModelAnswer: the model answered with nothing usable.
        """
        ...

    def ping(self) -> None:
        """Ask for something small, at no cost."""
        ...


class Vectors(Protocol):
    """The vector store."""

    def prepare(self, space: Space) -> None:
        """Make sure that the space exists and can be searched."""
        ...

    def upsert(self, space: Space, chunks: Sequence[EmbeddedChunk]) -> None:
        """Write chunks; those already there under the same id are replaced."""
        ...

    def flush(self, space: Space) -> None:
        """Make what was written searchable at full speed."""
        ...

    def search(
        self, space: Space, *, vector: Sequence[float], question: str, limit: int, conditions: Sequence[Condition]
    ) -> list[Hit]:
        """The chunks of the space's collection nearest to the question, best first."""
        ...

    def texts(self, space: Space, ref: FileRef, numbers: range | None = None) -> list[str]:
        """The texts stored of one generation, by chunk number, read with strong consistency.

        `numbers`, whose step is 1, keeps the chunks so numbered.
        """
        ...

    def delete(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> None:
        """Delete the chunks of one generation, of one file or of the whole collection."""
        ...

    def count(self, space: Space, *, file_id: UUID | None = None, generation: int | None = None) -> int:
        """How many chunks there are of those that `delete` would delete, read with strong consistency."""
        ...

    def ping(self) -> None:
        """Ask for something small."""
        ...


class Cache(Protocol):
    """Values that may be forgotten at any time; a cache that fails behaves as one that is empty."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values under the keys, in one round trip."""
        ...

    def put(self, entries: Sequence[CacheEntry]) -> None:
        """Remember the entries, each for its time, in one round trip."""
        ...

    def delete(self, group: str) -> int:
        """Forget every entry of the group; the number forgotten."""
        ...

    def ping(self) -> None:
        """Ask for something small; unlike the others, raises `Unavailable`."""
        ...


class Metadata(Protocol):
    """Everything relational: each method is one transaction.

    What the caller may not see raises `NotFound`, whether it exists or not; a role that does not
    suffice on something the caller may see raises `Forbidden`.
    """

    # Identities
    def add_tenant(self, tenant: Tenant) -> None:
        """Store the tenant; an existing one of the same id is left as it is."""
        ...

    def list_tenants(self, *, after: UUID | None, limit: int) -> list[Tenant]:
        """The tenants whose ids are behind `after`, in their order; deleted ones go without a name once purged."""
        ...

    def tenant_deleted(self, tenant_id: UUID) -> bool:
        """Whether the tenant is tombstoned; one that nobody knows yet is not."""
        ...

    def tombstone_tenant(self, tenant_id: UUID, *, now: datetime) -> None:
        """End the tenant's keys, refuse it new users, and open the receipt. Doing it again changes nothing.

        Raises:
            NotFound: there is no such tenant.
        """
        ...

    def dismantle(self, tenant_id: UUID, *, now: datetime, limit: int) -> Dismantled | None:
        """Take a tombstoned tenant apart, at most `limit` of each kind; None where it is not tombstoned, or is gone.

        Collections are tombstoned; of those that are purged all rows go and their receipts are summed up in the
        tenant's; once there is none left, users go with their keys and usage. While collections are being purged
        there is nothing to do: the next sweeps name the tenant, as should whoever purged one.
        """
        ...

    def end_tenant(self, tenant_id: UUID, tally: Tally, *, now: datetime) -> bool:
        """Complete the receipt of a dismantled tenant, of which the tombstone stays; False as with `purged`."""
        ...

    def add_user(self, user: User) -> None:
        """Store the user; an existing one of the same id is left as it is.

        Raises:
            NotFound: there is no such tenant, or it is tombstoned.
        """
        ...

    def add_api_key(self, key: ApiKey, *, secret_hash: bytes) -> None:
        """Store the key.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: a key of that id or secret is there already.
        """
        ...

    def list_api_keys(self, tenant_id: UUID) -> list[ApiKey]:
        """The tenant's keys, newest first."""
        ...

    def revoke_api_key(self, tenant_id: UUID, key_id: UUID, *, now: datetime) -> None:
        """End the key; ending it again changes nothing.

        Raises:
            NotFound: the tenant has no such key.
        """
        ...

    def principal_of(self, secret_hash: bytes, *, now: datetime) -> Principal | None:
        """Whom a key that is neither revoked nor expired speaks for."""
        ...

    # Collections
    def create_collection(
        self, principal: Principal, draft: CollectionDraft, *, limit: int, now: datetime
    ) -> Collection:
        """Create it with the caller as owner; creating the same id again answers with what is there.

        A caller whom only an identity provider knows becomes a user of the tenant.

        Raises:
            Conflict: the tenant has another collection of that name, or the id was used for another.
            QuotaExceeded: the caller owns `limit` collections.
        """
        ...

    def list_collections(
        self, principal: Principal, *, after: Cursor | None, limit: int, name: str | None
    ) -> Listing[Collection]:
        """The collections the caller is a member of, newest first; `name` keeps those whose name contains it."""
        ...

    def get_collection(self, principal: Principal, collection_id: UUID) -> Collection:
        """One of them."""
        ...

    def update_collection(
        self,
        principal: Principal,
        collection_id: UUID,
        *,
        name: str | None,
        chunking: Chunking | None,
        now: datetime,
    ) -> Collection:
        """Change what is not None; needs an editor.

        Raises:
            Conflict: the tenant has another collection of that name.
        """
        ...

    def tombstone_collection(self, principal: Principal, collection_id: UUID, *, now: datetime) -> None:
        """Make it and its files invisible and open the receipt; needs the owner. Doing it again changes nothing.

        Deletions of its files that are under way become part of it.
        """
        ...

    # Re-embedding
    def start_reembedding(
        self, principal: Principal, collection_id: UUID, draft: ReembeddingDraft, *, now: datetime
    ) -> Started:
        """Open another index of the collection and queue every live file for it; needs the owner.

        The draft that was started last answers with what is there.

        Raises:
            Conflict: another index is open.
        """
        ...

    def get_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        """The latest one.

        Raises:
            NotFound: there was none, or no such collection is visible to the caller.
        """
        ...

    def move_reembedding(
        self, principal: Principal, collection_id: UUID, to: State, *, leave_out: bool, now: datetime
    ) -> Reembedding:
        """Have searches see the other index, from one moment to the next; needs the owner.

        To `switched`, that is the one that was built; the one they saw is kept up to date for the time the
        draft said. To `rolled_back`, it is the one of before, and what was built is purged. With `leave_out`,
        files that are not ready there are not found until they are.

        Raises:
            NotFound: there was none.
            Conflict: there is nothing to switch to, or files are not ready there and not to be left out.
        """
        ...

    def end_reembedding(self, principal: Principal, collection_id: UUID, *, now: datetime) -> Reembedding:
        """Have the index purged that searches do not see: the new one before the switch, then the old one.

        Needs the owner.

        Raises:
            NotFound: there was none.
            Conflict: it has ended already.
        """
        ...

    # Members
    def list_members(self, principal: Principal, collection_id: UUID) -> list[Member]:
        """Who may use the collection."""
        ...

    def set_member(self, principal: Principal, collection_id: UUID, user_id: UUID, role: Role) -> Member:
        """Give a user of the tenant a role; needs the owner, whose own role stays.

        Raises:
            NotFound: the tenant has no such user.
            Conflict: the user is the owner, or would become a second one.
        """
        ...

    def remove_member(self, principal: Principal, collection_id: UUID, user_id: UUID) -> None:
        """End a membership; needs the owner, who stays.

        Raises:
            NotFound: the collection has no such member.
            Conflict: the user is the owner.
        """
        ...

    # Files
    def reserve_file(
        self, principal: Principal, collection_id: UUID, draft: FileDraft, *, quotas: Quotas, now: datetime
    ) -> File:
        """Reserve quota and a generation for an upload; needs an editor. The owner is charged the bytes.

        A name that the collection already has makes the next generation of that file, in place of one
        that was not uploaded yet; the same draft id answers with what is there. Where the draft asks
        for it, a file that holds the same bytes answers as a `Duplicate`, and nothing is reserved.
        A name that was an alias stays one if its bytes are found, and is the new file's otherwise.

        Raises:
            Conflict: a generation of the file is being ingested, the id was used for another, or the
                file has too many names.
            QuotaExceeded: no file or byte more fits.
        """
        ...

    def list_files(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, stage: Stage | None
    ) -> Listing[File]:
        """The collection's files, newest first."""
        ...

    def changes(
        self, principal: Principal, collection_id: UUID, *, after: Cursor | None, limit: int, fresh: bool = False
    ) -> list[File]:
        """The collection's files that changed behind `after`, in the order of their last change, the deleted too.

        Without a cursor those that live and changed last, in the same order. One that is being written may come
        to light only after a later one. `fresh` reads where they were written.
        """
        ...

    def get_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, fresh: bool = False) -> File:
        """One of them; `fresh` reads where it was written."""
        ...

    def remove_alias(
        self, principal: Principal, collection_id: UUID, file_id: UUID, name: str, *, now: datetime
    ) -> None:
        """Take one of a file's aliases away and raise the collection's version; needs an editor.

        Raises:
            NotFound: the file has no such alias.
        """
        ...

    def tombstone_file(self, principal: Principal, collection_id: UUID, file_id: UUID, *, now: datetime) -> FileRef:
        """Make it invisible, raise the collection's version and open the receipt; needs an editor.

        With an archive go the files it was expanded into, each with a receipt of its own; the sweep has them
        purged. Doing it again changes nothing.
        """
        ...

    # Archives
    def reserve_archived(self, claim: Claim, draft: FileDraft, *, quotas: Quotas, now: datetime) -> File | None:
        """Reserve, for who uploaded the claimed archive, one of the files it is expanded into; as `reserve_file`.

        None where the claim no longer holds.

        Raises:
            NotFound, Forbidden: who uploaded it may no longer.
            Conflict: a generation of the file is being ingested.
            QuotaExceeded: no file or byte more fits.
        """
        ...

    def drop_archived(self, claim: Claim, *, keep: Sequence[str], now: datetime) -> bool:
        """Tombstone the files that the archive was expanded into, but for those of these names.

        False where the claim no longer holds, in which case nothing changed.
        """
        ...

    # Fetching
    def begin_fetch(self, ref: FileRef, *, now: datetime) -> Fetch | None:
        """Count a try to fetch the bytes of a generation that waits for them; None where it does not (any more)."""
        ...

    def arrive(self, ref: FileRef, arrival: Arrival, *, before: str | None, now: datetime) -> bool:
        """Record the bytes that were fetched and will be stored now, and charge the owner.

        False where the generation does not wait for them, or others than those with the checksum `before` arrived
        since the fetch began.

        Raises:
            QuotaExceeded: they do not fit; nothing changed.
        """
        ...

    def unchanged(
        self, ref: FileRef, known: Known, validators: Validators | None, *, before: str | None, now: datetime
    ) -> bool:
        """End a generation whose address still holds the bytes known: the file is again what it was without it.

        The validators are those that the bytes have now, where they were said. False, as `arrive` answers, and where
        the known are not searched any more.
        """
        ...

    def refuse(self, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
        """End as failed a generation whose bytes cannot be fetched; False where it does not wait for them."""
        ...

    # Ingestion
    def claim(
        self, ref: FileRef, *, version: str, now: datetime, lease_until: datetime, deadline: datetime
    ) -> Claim | None:
        """Take the generation for ingestion, or None where it is finished, deleted, unknown or leased.

        `version` is the object's; a generation that is ready is not claimed again. The first claim
        sets the deadline by which it must be finished. One that failed for a passing reason within
        the last day may be claimed again, with a deadline anew, if its bytes still fit the quota.
        """
        ...

    def advance(
        self,
        claim: Claim,
        stage: Stage,
        *,
        pages_done: int | None = None,
        pages_total: int | None = None,
        lease_until: datetime,
        now: datetime,
    ) -> bool:
        """Record progress and keep the lease; False where the claim no longer holds."""
        ...

    def publish(
        self,
        claim: Claim,
        *,
        chunk_count: int,
        content_hash: str,
        info: DocumentInfo,
        checksum_sha256: str | None = None,
        now: datetime,
    ) -> bool:
        """Make the generation the live one, retire the older ones and raise the collection's version.

        The checksum is kept where none is known yet.

        In an index that searches do not see, it waits for the switch. Where the collection needs the file in
        another index too, it is queued for that one.

        False where the claim no longer holds, in which case nothing changed.
        """
        ...

    def fail(self, claim: Claim, problem: FileProblem, *, now: datetime) -> bool:
        """End the generation as failed and give its bytes back; False where the claim no longer holds.

        Where a retry cannot help it is to be purged, though the file shows the problem on.
        """
        ...

    def release(self, claim: Claim, *, now: datetime) -> None:
        """Give the lease up so that the next delivery may take the generation again."""
        ...

    def count_anew(self, ref: FileRef) -> None:
        """Let a generation that failed for a passing reason have all its attempts again, the next being the first."""
        ...

    def divide(
        self,
        claim: Claim,
        parts: Sequence[Part],
        *,
        pages_total: int,
        checksum_sha256: str | None = None,
        lease_until: datetime,
        deadline: datetime,
        now: datetime,
    ) -> bool:
        """Have a claimed generation ingested in parts; False where the claim no longer holds.

        The checksum is kept where none is known yet.

        The lease is kept by whoever works on a part. Once nobody does, the generation can be claimed
        again, to have the parts that are left worked on.
        """
        ...

    def parts(self, ref: FileRef) -> list[PartState]:
        """The parts of a divided generation, in order; none where it is not divided, ended or unknown."""
        ...

    def claim_part(self, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
        """Take a part, or None where it is finished or leased, or its generation ended or unknown.

        The claim is good for `advance`, `finish_part`, `release` and `fail`, which ends the whole generation.
        """
        ...

    def finish_part(self, claim: Claim, result: PartResult, *, lease_until: datetime, now: datetime) -> Finished | None:
        """Record what became of a part, or None where the claim no longer holds.

        Exactly one of those who finish parts is handed the whole generation, to verify and publish it;
        should they die, it can be claimed once the lease has run out.
        """
        ...

    def viable(self, ref: FileRef) -> bool:
        """Whether the generation is live or can become so: not deleted, replaced, failed for good or unknown."""
        ...

    def sweep(self, *, now: datetime, limit: int) -> Swept:
        """Switch re-embeddings that are complete and may be; give old indexes up that are kept no longer.

        End generations whose deadline has passed; name those to queue anew and what is left to purge.

        Each kind at most `limit`, of all tenants, those that wait longest first. What is named is
        named again ten minutes later unless it was claimed or purged by then. Old dead letters are
        forgotten.
        """
        ...

    def purge_of(self, tenant_id: UUID, collection_id: UUID, file_id: UUID | None) -> Purge | None:
        """What is to be removed of a tombstoned or partly retired file, or of a tombstoned collection.

        None of a file whose collection is tombstoned: it goes with that.
        """
        ...

    def record(self, tenant_id: UUID, tally: Tally, held: Held, *, cached: int, now: datetime) -> Tally | None:
        """Record in a receipt what the stores hold now, and how many cached entries went.

        Its tally as it then is, or None where another purge recorded something in between, in which case nothing
        changed.
        """
        ...

    def purged(self, purge: Purge, *, now: datetime) -> bool:
        """Record that nothing is left of it, and give its quota back.

        False where there is nothing to be purged (any more), or the receipt was recorded otherwise since, or its last
        record proves nothing; then nothing changed. What something may still arrive of stays to be purged once
        more, when that time is over; only then its receipt is completed, and what the metadata say of it is forgotten,
        its dead letters included.
        """
        ...

    # Watchers: once anything changes that they can see, or whether they may, it is announced by the collection's ids
    def add_watcher(
        self, principal: Principal, collection_id: UUID, draft: WatcherDraft, *, limit: int, now: datetime
    ) -> bool:
        """Remember who watches on a connection, in place of what was watched on it before.

        False where the caller watches on `limit` other connections.

        Raises:
            NotFound: no such collection is visible to the caller.
        """
        ...

    def hold_watchers(
        self, tenant_id: UUID, collection_id: UUID, *, since: datetime | None, lease_until: datetime, now: datetime
    ) -> list[Watcher]:
        """Take those who watch the collection and were not looked for since then, so that nobody else tells them.

        Whoever holds one already is asked, when it lets go of it, to have it looked for again.
        """
        ...

    def let_go(self, watcher: Watcher, watch: Watch, *, told_at: datetime) -> bool:
        """Record how far a held watcher was told; whether they are to be looked for again.

        Nothing changes where the lease has passed to somebody else.
        """
        ...

    def forget_watcher(self, connection_id: str) -> None:
        """Forget who watches on a connection that has ended; its id is all that API Gateway tells."""
        ...

    def watched(self, *, now: datetime, limit: int) -> list[PushRequest]:
        """At most `limit` collections, of all tenants, that somebody watches, each since it was looked for all of them.

        Those come first that wait longest. Who watched on connections that have been closed by now is forgotten.
        """
        ...

    # Deletions
    def list_deletions(self, principal: Principal, *, after: Cursor | None, limit: int) -> Listing[Deletion]:
        """The receipts of what the caller deleted, or owned when it was deleted; newest first."""
        ...

    def get_deletion(self, principal: Principal, deletion_id: UUID) -> Deletion:
        """One of them."""
        ...

    def find_deletion(self, tenant_id: UUID, deletion_id: UUID) -> Deletion | None:
        """Any receipt of a tenant, for an operator."""
        ...

    def forget_deletions(self, *, before: datetime, limit: int) -> int:
        """Drop at most `limit` receipts, of all tenants, that were completed before; the number dropped."""
        ...

    # Dead letters
    def bury(self, burial: Burial, *, now: datetime) -> bool:
        """Record a message that was given up, in place of earlier ones about the same.

        One about a file that failed has the file's problem; one about what does not exist is the
        operator's. False where it is recorded already, or what it is about is purged.
        """
        ...

    def list_letters(self, principal: Principal, collection_id: UUID, page: LetterPage) -> Listing[DeadLetter]:
        """The collection's dead letters, newest first; needs an editor."""
        ...

    def buried_letters(self, page: LetterPage) -> Listing[BuriedLetter]:
        """Those of all tenants and of nobody, newest first: for the operator."""
        ...

    def mark_retried(self, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
        """Record that the tenant's letters, or nobody's, were sent again; how many there were."""
        ...

    def discard_letters(self, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
        """Forget the tenant's letters, or nobody's; how many there were."""
        ...

    # Search
    def grant(self, principal: Principal, collection_id: UUID) -> Grant:
        """Membership and everything a search needs to know of the collection, in one statement."""
        ...

    def matching(
        self, principal: Principal, collection_id: UUID, conditions: Sequence[Condition], *, limit: int
    ) -> Matching:
        """At most `limit` files whose live documents meet all the conditions, which are those of documents.

        With the grant of that moment, in one statement. A file is meant by each of its names.
        """
        ...

    def live_documents(
        self, principal: Principal, collection_id: UUID, file_ids: Sequence[UUID], *, reservation: Reservation | None
    ) -> Live:
        """The live generations among the files, with the grant of that moment; tokens are reserved, all or none.

        All of it in one statement.
        """
        ...

    # Usage
    def usage(self, principal: Principal, *, period: date, quotas: Quotas) -> Usage:
        """What the caller holds and has used."""
        ...

    def settle_tokens(self, principal: Principal, *, period: date, reserved: int, used: int) -> None:
        """Turn a reservation into what was really used, in one statement; 0 refunds it."""
        ...

    def open_period(self, period: date, *, keep_from: date) -> bool:
        """Open a period, drop what was left reserved in earlier ones and forget those before `keep_from`.

        False where it was open already, in which case nothing changed.
        """
        ...

    def ping(self) -> None:
        """Ask for something small, of the writer and of the reader."""
        ...


class Metrics(Protocol):
    """Counters and timings under the architecture document's names; never raises."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Record a duration."""
        ...

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """Move a gauge, which begins at 0."""
        ...


__all__ = [
    "Blobs",
    "Cache",
    "Clock",
    "Embedder",
    "Generator",
    "Metadata",
    "Metrics",
    "Parsed",
    "Parser",
    "Queue",
    "Reranker",
    "Sockets",
    "Tokens",
    "Unpacker",
    "Vectors",
    "Web",
]
