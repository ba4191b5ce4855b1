"""No method of the metadata lets a tenant or a non-member see or change anything of another's.

The methods and their parameters are read from the port, so that a new method fails here until it is covered.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.collection import Chunking, Collection
from modulo.domain.deletion import Held, deletion_id
from modulo.domain.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, Stage
from modulo.domain.filters import parse_filters
from modulo.domain.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.letter import LetterPage
from modulo.domain.quota import Reservation
from modulo.domain.reembedding import ReembeddingDraft, State
from modulo.domain.transfer import IngestRequest, PartResult
from modulo.domain.watching import Watch, Watcher, WatcherDraft
from modulo.domain.web import Arrival, Known, Validators
from modulo.ports import Metadata
from tests.contracts.metadata_world import FINAL, HOUR, MODEL, NOW, PERIOD, QUOTAS, MetadataContract, World
from tests.contracts.test_metadata_identities import key_of
from tests.contracts.test_metadata_letters import burial

PARAMETERS = {
    name: tuple(inspect.signature(method).parameters)[1:]
    for name, method in vars(Metadata).items()
    if not name.startswith("_") and callable(method)
}
OF_COLLECTIONS = [name for name, given in PARAMETERS.items() if given[:2] == ("principal", "collection_id")]
OF_RECEIPTS = [name for name, given in PARAMETERS.items() if given[:2] == ("principal", "deletion_id")]
OF_CALLERS = [
    name
    for name, given in PARAMETERS.items()
    if given[:1] == ("principal",) and name not in (*OF_COLLECTIONS, *OF_RECEIPTS)
]
OF_TENANTS = [name for name, given in PARAMETERS.items() if given[:1] == ("tenant_id",)]
HELD = {"claim", "ref", "purge", "watcher"}
OF_CLAIMS = [name for name, given in PARAMETERS.items() if given and given[0] in HELD]
OF_NOBODY = {
    "list_tenants",
    "add_tenant",
    "add_user",
    "add_api_key",
    "principal_of",
    "sweep",
    "forget_deletions",
    "bury",
    "buried_letters",
    "open_period",
    "forget_watcher",
    "watched",
    "ping",
}


def watcher(name: str) -> WatcherDraft:
    """A draft of one on a connection of that name, which no other test uses."""
    return WatcherDraft(f"{name}-{uuid4()}", None, None, None, NOW + HOUR)


class Estate:
    """One tenant's things, and a caller of every kind who must not see them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.metadata = world.metadata
        self.owner = world.user("owner")
        self.member = world.user("member")
        self.collection = world.collection(self.owner)
        self.metadata.set_member(self.owner, self.collection.id, self.member.user_id, Role.viewer)
        world.ready(self.owner, self.collection, "replaced.pdf")
        self.file = world.ready(self.owner, self.collection, "replaced.pdf")
        self.waiting = world.file(self.owner, self.collection, "waiting.pdf")
        assert world.publish(world.claim(world.addressed(self.owner, self.collection)))
        self.addressed = world.addressed(self.owner, self.collection)
        self.claim = world.claim(world.file(self.owner, self.collection, "claimed.pdf"))
        self.key = key_of(self.owner)
        self.metadata.add_api_key(self.key, secret_hash=api_key_hash(str(self.key.id)))
        assert world.reserve(self.owner, self.collection, 10)
        purge = self.metadata.purge_of(world.tenant_id, self.collection.id, self.file.id)
        assert purge is not None
        dropped = world.collection(self.owner, "dropped")
        self.metadata.tombstone_collection(self.owner, dropped.id, now=NOW)
        self.dropped = world.found(dropped)
        self.purge = purge
        assert self.metadata.add_watcher(self.owner, self.collection.id, watcher("mine"), limit=9, now=NOW)
        (self.watcher,) = self.held(self.collection)
        self.letter = burial(IngestRequest(world.ref(self.waiting)))
        assert self.metadata.bury(self.letter, now=NOW)

    def held(self, collection: Collection) -> list[Watcher]:
        at = (self.world.tenant_id, collection.id)
        return self.metadata.hold_watchers(*at, since=None, lease_until=NOW, now=NOW)

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
            "reserve_file": self.world.upload("more.pdf"),
            "reserve_archived": self.world.upload("more.pdf"),
            "create_collection": self.world.draft("more"),
            "add_watcher": watcher("other"),
            "start_reembedding": ReembeddingDraft(uuid4(), MODEL, None, auto_switch=True, keep_seconds=1),
        }
        known = {
            "principal": caller,
            "tenant_id": caller.tenant_id,
            "collection_id": self.collection.id,
            "file_id": self.file.id,
            "file_ids": [self.file.id],
            "conditions": parse_filters({"source": "replaced.pdf"}),
            "key_id": self.key.id,
            "user_id": self.member.user_id,
            "page": LetterPage(9),
            "letter_ids": [self.letter.id],
            "role": Role.editor,
            "draft": drafts.get(name),
            "to": State.switched,
            "leave_out": True,
            "quotas": QUOTAS,
            "limit": 10,
            "after": None,
            "stage": Stage.embedding if name == "advance" else None,
            "name": None if name == "list_collections" else "renamed",
            "chunking": Chunking(max_tokens=99),
            "fresh": True,
            "now": NOW,
            "period": PERIOD,
            "reservation": Reservation(PERIOD, 10, 100),
            "reserved": 10,
            "used": 1,
            "claim": replace(self.claim, ref=replace(self.claim.ref, tenant_id=caller.tenant_id)),
            "ref": replace(self.world.ref(self.waiting), tenant_id=caller.tenant_id),
            "purge": replace(self.purge, space=replace(self.purge.space, tenant_id=caller.tenant_id)),
            "tally": self.dropped.tally,
            "deletion_id": deletion_id(self.dropped.collection_id),
            "keep": [],
            "held": Held(),
            "cached": 0,
            "version": "etag",
            "lease_until": NOW + HOUR,
            "deadline": NOW + HOUR,
            "pages_done": 1,
            "pages_total": 2,
            "chunk_count": 1,
            "content_hash": "00" * 32,
            "checksum_sha256": "00" * 32,
            "info": DocumentInfo(),
            "problem": FINAL,
            "parts": [Part(0, 0, 1)],
            "number": 0,
            "arrival": Arrival(1, "00" * 32, "text/plain"),
            "known": Known(1, "ab" * 32, Validators()),
            "validators": None,
            "before": None,
            "watcher": replace(self.watcher, principal=caller),
            "watch": Watch(NOW),
            "told_at": NOW,
            "since": None,
            "result": PartResult(1, "00" * 32, DocumentInfo()),
        }
        if "fetch" in name or name in ("arrive", "refuse", "unchanged"):
            known["ref"] = replace(self.world.ref(self.addressed), tenant_id=caller.tenant_id)
        return {parameter: known[parameter] for parameter in PARAMETERS[name]}

    def state(self) -> list[object]:
        """All that the owner sees."""
        at = self.collection.id
        files = self.metadata.list_files(self.owner, at, after=None, limit=99, stage=None)
        return [
            self.metadata.list_collections(self.owner, after=None, limit=99, name=None),
            self.metadata.list_members(self.owner, at),
            files,
            self.metadata.grant(self.owner, at),
            self.metadata.live_documents(self.owner, at, [file.id for file in files.items], reservation=None),
            self.metadata.list_api_keys(self.world.tenant_id),
            self.metadata.purge_of(self.world.tenant_id, at, self.file.id),
            self.world.usage(self.owner),
            self.metadata.list_deletions(self.owner, after=None, limit=99),
            self.metadata.purge_of(self.world.tenant_id, self.dropped.collection_id, None),
            self.metadata.list_letters(self.owner, at, LetterPage(99)),
            [replace(one, lease=self.watcher.lease) for one in self.held(self.collection)],
            self.metadata.advance(self.claim, Stage.parsing, lease_until=NOW + HOUR, now=NOW),
        ]


class TestIsolation(MetadataContract):
    @pytest.fixture
    def estate(self, world: World) -> Estate:
        return Estate(world)

    def test_every_method_is_covered(self) -> None:
        covered = {*OF_COLLECTIONS, *OF_RECEIPTS, *OF_CALLERS, *OF_TENANTS, *OF_CLAIMS, *OF_NOBODY}
        assert covered == set(PARAMETERS)

    @pytest.mark.parametrize("kind", ["foreign", "namesake", "non-member"])
    @pytest.mark.parametrize("name", [*OF_COLLECTIONS, *OF_RECEIPTS])
    def test_what_another_may_not_see_is_not_found(
        self, metadata: Metadata, estate: Estate, name: str, kind: str
    ) -> None:
        before = estate.state()
        caller = estate.stranger(kind)
        arguments = estate.arguments(name, caller)
        with pytest.raises(NotFound) as hidden:
            getattr(metadata, name)(**arguments)
        with pytest.raises(NotFound) as unknown:
            getattr(metadata, name)(**{**arguments, PARAMETERS[name][1]: uuid4()})
        assert (hidden.value.detail, hidden.value.extra) == (unknown.value.detail, unknown.value.extra)
        assert estate.state() == before

    @pytest.mark.parametrize("kind", ["foreign", "namesake", "non-member"])
    @pytest.mark.parametrize("name", OF_CALLERS)
    def test_what_a_caller_does_touches_nobody_else(
        self, metadata: Metadata, estate: Estate, name: str, kind: str
    ) -> None:
        before = estate.state()
        caller = estate.stranger(kind)
        if name == "settle_tokens":
            metadata.create_collection(caller, estate.world.draft("other"), limit=1, now=NOW)  # makes them a user
        answer = getattr(metadata, name)(**estate.arguments(name, caller))
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
        if name == "tombstone_tenant":
            metadata.tombstone_tenant(**arguments)
        elif name == "revoke_api_key":
            with pytest.raises(NotFound):
                metadata.revoke_api_key(**arguments)
        else:
            assert not getattr(metadata, name)(**arguments)
        assert estate.state() == before

    @pytest.mark.parametrize("name", OF_CLAIMS)
    def test_a_claim_or_purge_of_another_tenant_changes_nothing(
        self, metadata: Metadata, estate: Estate, name: str
    ) -> None:
        before = estate.state()
        assert not getattr(metadata, name)(**estate.arguments(name, estate.stranger("foreign")))
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
                getattr(metadata, name)(**arguments)
        assert estate.state() == before

    def test_a_sweep_ends_only_what_is_overdue(self, metadata: Metadata, estate: Estate) -> None:
        before = estate.state()
        metadata.sweep(now=NOW - timedelta(days=1), limit=10)
        assert estate.state() == before

    @pytest.mark.parametrize("works", [lambda e: e.metadata.get_collection(e.member, e.collection.id)])
    def test_a_member_does_see_it(self, estate: Estate, works: Callable[[Estate], object]) -> None:
        assert works(estate)
