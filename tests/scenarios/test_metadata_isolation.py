"""No method of the metadata lets a tenant or a non-member see or change anything of another's.

The roles, their methods and the parameters of these are read from the ports, so that a new one fails here until it is
covered.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import Any
from uuid import uuid4

import pytest

import modulo.ports.metadata as ports
from modulo.domain.collections.collection import Chunking, Collection
from modulo.domain.collections.reembedding import ReembeddingDraft, ReembeddingState
from modulo.domain.conversations.conversation import (
    ConversationChange,
    ConversationDraft,
    Feedback,
    MessagePage,
    Rating,
)
from modulo.domain.documents.document import Part
from modulo.domain.errors import InvalidRequest, NotFound
from modulo.domain.files.file import DocumentInfo, FileChange, Stage
from modulo.domain.files.file_batch import BatchDraft
from modulo.domain.files.subscription import StreamPosition, Subscription
from modulo.domain.files.user_file import Purpose, UserFile, UserFileRef
from modulo.domain.files.web import ContentInfo, KnownContent, Validators
from modulo.domain.ingestion.claim import PartResult
from modulo.domain.operations.dead_letter import DeadLetterQuery
from modulo.domain.operations.deletion import Inventory, deletion_id
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.pagination import Window
from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.retrieval.filters import conditions
from modulo.domain.retrieval.search_defaults import SearchDefaults
from modulo.domain.tenancy.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.tenancy.quota import Reservation
from tests.metadata_world import (
    FINAL,
    HOUR,
    MODEL,
    NOW,
    PASSING,
    PERIOD,
    QUOTAS,
    Metadata,
    MetadataContract,
    World,
    dead_letter_draft,
    exchange,
    key_of,
    methods_of_roles,
    roles,
    subscription_draft,
)

PROTOCOLS = {
    kind
    for module in pkgutil.iter_modules(ports.__path__, f"{ports.__name__}.")
    for kind in vars(importlib.import_module(module.name)).values()
    if getattr(kind, "_is_protocol", False) and kind.__module__ == module.name
}
PARAMETERS = {name: tuple(inspect.signature(method).parameters)[1:] for name, method in methods_of_roles().items()}
"""Of every method of every role."""
COLLECTIONS_OF = {("principal", "collection_id"), ("principal", "collection_ids")}
OF_COLLECTIONS = [name for name, given in PARAMETERS.items() if given[:2] in COLLECTIONS_OF]
OF_RECEIPTS = [name for name, given in PARAMETERS.items() if given[:2] == ("principal", "deletion_id")]
OF_CONVERSATIONS = [
    name
    for name, given in PARAMETERS.items()
    if given[:2] in (("principal", "conversation_id"), ("principal", "message_id"))
]
OF_FILES = [name for name, given in PARAMETERS.items() if given[:2] == ("principal", "file_id")]
OF_UPLOADS = [name for name, given in PARAMETERS.items() if given[:2] == ("principal", "upload_id")]
OF_THINGS = [*OF_COLLECTIONS, *OF_RECEIPTS, *OF_CONVERSATIONS, *OF_FILES, *OF_UPLOADS]
OF_CALLERS = [name for name, given in PARAMETERS.items() if given[:1] == ("principal",) and name not in OF_THINGS]
OF_TENANTS = [name for name, given in PARAMETERS.items() if given[:1] == ("tenant_id",)]
HELD = {"claim", "ref", "purge", "subscription"}
OF_CLAIMS = [name for name, given in PARAMETERS.items() if given and given[0] in HELD]
OF_NOBODY = {
    "tenants.list_tenants",
    "tenants.add_tenant",
    "identities.add_user",
    "identities.add_api_key",
    "identities.principal_of",
    "sweeping.sweep",
    "sweeping.overdue_unclaimed",
    "sweeping.postpone_deadlines",
    "conversations.expire_conversations",
    "deletions.forget_deletions",
    "dead_letters.record_dead_letter",
    "dead_letters.list_all_dead_letters",
    "usage.open_period",
    "subscriptions.forget_subscription",
    "subscriptions.pending_pushes",
    "vector_rebuilds.list_collections",
    "backups.alone",
    "backups.which_live",
    "backups.which_tenants_exist",
    "backups.spaces_of",
    "backups.check_tables",
    "backups.write_rows",
    "database.ping",
}


def call(metadata: Metadata, name: str, arguments: dict[str, Any]) -> Any:
    return attrgetter(name)(metadata)(**arguments)


class Estate:
    """One tenant's things, and a caller of every kind who must not see them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metadata = world.metadata
        self.owner = world.user("owner")
        self.member = world.user("member")
        self.collection = world.collection(self.owner)
        self.metadata.members.set_member(self.owner, self.collection.id, self.member.user_id, Role.viewer)
        world.ready(self.owner, self.collection, "replaced.pdf")
        self.file = world.ready(self.owner, self.collection, "replaced.pdf")
        self.waiting = world.file(self.owner, self.collection, "waiting.pdf")
        assert world.publish(world.claim(world.addressed(self.owner, self.collection)))
        self.addressed = world.addressed(self.owner, self.collection)
        self.unreachable = world.addressed(self.owner, self.collection, "unreachable.html")
        assert self.metadata.fetching.refuse(world.ref(self.unreachable), PASSING, now=NOW)
        self.claim = world.claim(world.file(self.owner, self.collection, "claimed.pdf"))
        self.key = key_of(self.owner)
        self.metadata.identities.add_api_key(self.key, secret_hash=api_key_hash(str(self.key.id)))
        assert world.reserve(self.owner, self.collection, 10)
        purge = self.metadata.purging.find_purge(world.tenant_id, self.collection.id, self.file.id)
        assert purge is not None
        dropped = world.collection(self.owner, "dropped")
        self.metadata.collections.tombstone_collection(self.owner, dropped.id, now=NOW)
        self.dropped = world.found(dropped)
        self.purge = purge
        assert self.metadata.subscriptions.add_subscription(
            self.owner, self.collection.id, subscription_draft(), limit=9, now=NOW
        )
        (self.subscription,) = self.held(self.collection)
        self.conversation = world.conversation(self.owner, "Leave", "How long is leave?", "30 days.")
        self.conversation_page = self.messages()
        self.kept = world.user_file(self.owner)
        world.copied(self.owner, self.collection, self.kept)
        self.batch = BatchDraft(uuid4(), (self.kept.id,), NOW + HOUR)
        self.metadata.file_batches.open_batch(self.owner, self.collection.id, self.batch, now=NOW)
        self.upload_id = uuid4()
        arriving = self.kept.model_copy(update={"id": self.upload_id})
        self.metadata.part_uploads.open_upload(
            self.owner, arriving, expires_at=NOW + HOUR, file_seconds=None, quotas=QUOTAS
        )
        self.letter = dead_letter_draft(IngestRequest(world.ref(self.waiting)))
        assert self.metadata.dead_letters.record_dead_letter(self.letter, now=NOW)

    def held(self, collection: Collection) -> list[Subscription]:
        at = (self.world.tenant_id, collection.id)
        return self.metadata.subscriptions.lease_subscriptions(*at, since=None, lease_until=NOW, now=NOW)

    def messages(self) -> MessagePage:
        at = self.conversation.id
        return self.metadata.conversation_messages.list_messages(self.owner, at, after=None, limit=9)

    def stranger(self, kind: str) -> Principal:
        """Someone else; with the owner's own user id where only the tenant differs."""
        if kind == "foreign":
            return World(self.metadata).user()
        if kind == "namesake":
            return Principal(uuid4(), self.owner.user_id, frozenset(Scope))
        return self.world.user("non-member")

    def arguments(self, name: str, caller: Principal) -> dict[str, Any]:
        """What the owner would call the method with, but for the caller."""
        drafts = {
            "uploads.reserve_file": self.world.upload("more.pdf"),
            "uploads.reserve_archived": self.world.upload("more.pdf"),
            "collections.create_collection": self.world.draft("more"),
            "conversations.create_conversation": ConversationDraft(uuid4(), "more"),
            "subscriptions.add_subscription": subscription_draft(),
            "file_batches.open_batch": BatchDraft(uuid4(), (self.kept.id,), NOW + HOUR),
            "reembeddings.start_reembedding": ReembeddingDraft(uuid4(), MODEL, None, auto_switch=True, keep_seconds=1),
        }
        known = {
            "principal": caller,
            "tenant_id": caller.tenant_id,
            "collection_id": self.collection.id,
            "collection_ids": [self.collection.id],
            "file_id": self.file.id,
            "file_ids": [self.file.id],
            "where": parse_filters({"source": "replaced.pdf"}),
            "conditions": tuple(conditions(parse_filters({"source": "replaced.pdf", "a": 1}))),
            "key_id": self.key.id,
            "user_id": self.member.user_id,
            "query": DeadLetterQuery(9),
            "conversation_id": self.conversation.id,
            "message_id": self.conversation_page.items[-1].message.id,
            "drafts": exchange("And how long is notice?"),
            "change": FileChange(attributes={"stolen": True})
            if name == "files.change_file"
            else ConversationChange(title="stolen", archived=True),
            "feedback": Feedback(rating=Rating.down),
            "only_empty": False,
            "archived": None,
            "newest_first": True,
            "letter_ids": [self.letter.id],
            "role": Role.editor,
            "draft": drafts.get(name),
            "to": ReembeddingState.switched,
            "batch_id": self.batch.id,
            "upload_id": self.upload_id,
            "part_id": uuid4(),
            "size_bytes": 1,
            "expires_at": NOW + HOUR,
            "file_seconds": None,
            "completed_with": "digest",
            "media_type": "text/plain",
            "problems": {self.kept.id: FINAL},
            "window": Window(9, before=self.file.id),
            "stages": [Stage.ready],
            "use": True,
            "purpose": None,
            "origin_id": self.kept.id,
            "file": UserFile(
                id=uuid4(), name="n", purpose=Purpose.user_data, media_type="text/plain", size_bytes=1, created_at=NOW
            ),
            "description": "stolen",
            "metadata": {"stolen": "yes"},
            "expires_after_days": 1,
            "leave_out": True,
            "quotas": QUOTAS,
            "limit": 10,
            "after": None,
            "stage": Stage.embedding if name == "ingestion.advance" else None,
            "name": None if ".list_" in name else "renamed",
            "chunking": Chunking(max_tokens=99),
            "search_defaults": SearchDefaults(top_k=1),
            "fresh": True,
            "now": NOW,
            "period": PERIOD,
            "reservation": Reservation(PERIOD, 10, 100),
            "reserved": 10,
            "used": 1,
            "claim": replace(self.claim, ref=replace(self.claim.ref, tenant_id=caller.tenant_id)),
            "ref": replace(self.world.ref(self.waiting), tenant_id=caller.tenant_id),
            "purge": replace(self.purge, space=replace(self.purge.space, tenant_id=caller.tenant_id)),
            "receipt": self.dropped.receipt,
            "deletion_id": deletion_id(self.dropped.collection_id),
            "keep": [],
            "inventory": Inventory(),
            "cached": 0,
            "version": "etag",
            "lease_until": NOW + HOUR,
            "deadline": NOW + HOUR,
            "until": NOW + HOUR,
            "pages_done": 1,
            "pages_total": 2,
            "chunk_count": 1,
            "content_hash": "00" * 32,
            "checksum_sha256": "00" * 32,
            "info": DocumentInfo(),
            "problem": FINAL,
            "parts": [Part(0, 0, 1)],
            "number": 0,
            "arrival": ContentInfo(1, "00" * 32, "text/plain"),
            "known": KnownContent(1, "ab" * 32, Validators()),
            "validators": None,
            "before": None,
            "subscription": replace(self.subscription, principal=caller),
            "position": StreamPosition(NOW),
            "delivered_at": NOW,
            "since": None,
            "write": None,
            "result": PartResult(1, "00" * 32, DocumentInfo()),
        }
        if name.startswith("part_uploads."):
            known["ref"] = UserFileRef(caller.tenant_id, self.owner.user_id, self.upload_id)
        if name.startswith("user_files."):
            known["file_id"] = self.kept.id
            known["ref"] = UserFileRef(caller.tenant_id, self.owner.user_id, self.kept.id)
        if name.startswith("fetching."):
            file = self.unreachable if name == "fetching.restart_fetch" else self.addressed
            known["ref"] = replace(self.world.ref(file), tenant_id=caller.tenant_id)
        return {parameter: known[parameter] for parameter in PARAMETERS[name]}

    def state(self) -> list[object]:
        """All that the owner sees."""
        at = self.collection.id
        files = self.metadata.files.list_files(self.owner, at, after=None, limit=99, stage=None)
        return [
            self.metadata.conversations.list_conversations(self.owner, after=None, limit=99, archived=None),
            self.messages(),
            self.metadata.user_files.page_user_files(self.owner, Window(9), purpose=None, now=NOW),
            self.metadata.collections.list_collections(self.owner, after=None, limit=99, name=None),
            self.metadata.members.list_members(self.owner, at, after=None, limit=99),
            files,
            self.metadata.part_uploads.get_upload(self.owner, self.upload_id, now=NOW),
            self.metadata.file_batches.get_batch(self.owner, at, self.batch.id, now=NOW),
            self.metadata.grants.grant(self.owner, at),
            self.metadata.grants.live_documents(self.owner, [at], [file.id for file in files.items], reservation=None),
            self.metadata.identities.list_api_keys(self.world.tenant_id),
            self.metadata.purging.find_purge(self.world.tenant_id, at, self.file.id),
            self.world.usage(self.owner),
            self.metadata.deletions.list_deletions(self.owner, after=None, limit=99),
            self.metadata.purging.find_purge(self.world.tenant_id, self.dropped.collection_id, None),
            self.metadata.dead_letters.list_dead_letters(self.owner, at, DeadLetterQuery(99)),
            [replace(one, lease=self.subscription.lease) for one in self.held(self.collection)],
            self.metadata.ingestion.advance(self.claim, Stage.parsing, lease_until=NOW + HOUR, now=NOW),
        ]


class TestIsolation(MetadataContract):
    @pytest.fixture
    def estate(self, world: World) -> Estate:
        return Estate(world)

    def test_every_role_is_covered(self) -> None:
        assert set(roles().values()) == PROTOCOLS

    def test_every_method_is_covered(self) -> None:
        covered = {*OF_THINGS, *OF_CALLERS, *OF_TENANTS, *OF_CLAIMS, *OF_NOBODY}
        assert covered == set(PARAMETERS)

    @pytest.mark.parametrize("kind", ["foreign", "namesake", "non-member"])
    @pytest.mark.parametrize("name", OF_THINGS)
    def test_what_another_may_not_see_is_not_found(
        self, metadata: Metadata, estate: Estate, name: str, kind: str
    ) -> None:
        before = estate.state()
        caller = estate.stranger(kind)
        arguments, named = estate.arguments(name, caller), PARAMETERS[name][1]
        with pytest.raises(NotFound) as hidden:
            call(metadata, name, arguments)
        with pytest.raises(NotFound) as unknown:
            call(metadata, name, {**arguments, named: [uuid4()] if named.endswith("_ids") else uuid4()})
        assert (hidden.value.detail, hidden.value.extra) == (unknown.value.detail, unknown.value.extra)
        assert estate.state() == before

    @pytest.mark.parametrize("kind", ["foreign", "namesake", "non-member"])
    @pytest.mark.parametrize("name", OF_CALLERS)
    def test_what_a_caller_does_touches_nobody_else(
        self, metadata: Metadata, estate: Estate, name: str, kind: str
    ) -> None:
        before = estate.state()
        caller = estate.stranger(kind)
        if name == "usage.settle_tokens":
            metadata.collections.create_collection(
                caller, estate.world.draft("other"), limit=1, now=NOW
            )  # makes them a user
        arguments = estate.arguments(name, caller)
        if "window" in arguments:
            with pytest.raises(InvalidRequest):
                call(metadata, name, arguments)
            arguments["window"] = Window(9)
        answer = call(metadata, name, arguments)
        assert not isinstance(answer, list) or not answer
        seen = getattr(answer, "items", None) or (
            getattr(answer, "tokens_used", 0),
            getattr(answer, "storage_bytes", 0),
        )
        assert seen == (0, 0)
        assert estate.state() == before

    @pytest.mark.parametrize("name", OF_TENANTS)
    def test_another_tenant_holds_nothing_of_it(self, metadata: Metadata, estate: Estate, name: str) -> None:
        before = estate.state()
        arguments = estate.arguments(name, estate.stranger("foreign"))
        if name == "tenants.tombstone_tenant":
            metadata.tenants.tombstone_tenant(**arguments)
        elif name in ("identities.revoke_api_key", "user_deletions.remove_user"):
            with pytest.raises(NotFound):
                call(metadata, name, arguments)
        elif name == "user_deletions.list_users":
            assert {user.tenant_id for user in call(metadata, name, arguments)} == {arguments["tenant_id"]}
        elif name == "backups.read_rows":
            rows: list[str] = []
            snapshot = call(metadata, name, {**arguments, "write": lambda _, lines: rows.extend(lines)})
            assert rows
            assert str(estate.world.tenant_id) not in "".join(rows)
            assert snapshot.objects == []
        else:
            assert not call(metadata, name, arguments)
        assert estate.state() == before

    @pytest.mark.parametrize("name", OF_CLAIMS)
    def test_a_claim_or_purge_of_another_tenant_changes_nothing(
        self, metadata: Metadata, estate: Estate, name: str
    ) -> None:
        before = estate.state()
        assert not call(metadata, name, estate.arguments(name, estate.stranger("foreign")))
        assert estate.state() == before

    @pytest.mark.parametrize("name", [name for name in OF_COLLECTIONS if "file_id" in PARAMETERS[name]])
    def test_a_file_is_not_found_through_a_collection_of_ones_own(
        self, metadata: Metadata, estate: Estate, name: str
    ) -> None:
        before = estate.state()
        for kind in ("foreign", "non-member"):
            caller = estate.stranger(kind)
            world = World(metadata, tenant_id=caller.tenant_id)
            own = world.collection(caller, f"own {uuid4()}")
            arguments = {**estate.arguments(name, caller), "collection_id": own.id}
            with pytest.raises(NotFound):
                call(metadata, name, arguments)
        assert estate.state() == before

    def test_a_sweep_ends_only_what_is_overdue(self, metadata: Metadata, estate: Estate) -> None:
        before = estate.state()
        metadata.sweeping.sweep(now=NOW - timedelta(days=1), limit=10)
        assert estate.state() == before

    @pytest.mark.parametrize("works", [lambda e: e.metadata.collections.get_collection(e.member, e.collection.id)])
    def test_a_member_does_see_it(self, estate: Estate, works: Callable[[Estate], object]) -> None:
        assert works(estate)
