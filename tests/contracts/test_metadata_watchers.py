"""Who watches on connections of API Gateway, and what is announced of what they watch, whichever metadata keeps it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.adapters.memory_metadata import MemoryMetadata
from modulo.domain.collection import Collection
from modulo.domain.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.file import DocumentInfo, Stage
from modulo.domain.identity import Principal, Role, Scope, api_key_hash
from modulo.domain.transfer import PartResult
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft
from modulo.domain.web import Arrival
from modulo.ports import Metadata
from tests.contracts.metadata_world import (
    FINAL,
    HOUR,
    NOW,
    QUOTAS,
    Announced,
    MetadataContract,
    World,
    postgres_metadata,
    settings_of,
)
from tests.contracts.test_metadata_identities import key_of

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TOLD = frozenset({b"12345678", b"abcdefgh"})


def draft(**more: Any) -> WatcherDraft:
    known: dict[str, Any] = {"looked_at": None, "key_hash": None, "expires_at": None, "closes_at": NOW + 2 * HOUR}
    return WatcherDraft(f"connection-{uuid4()}", **{**known, **more})


class Watching:
    """A collection that somebody watches."""

    def __init__(self, world: World) -> None:
        self.world, self.metadata = world, world.metadata
        self.owner = world.user()
        self.collection = world.collection(self.owner)

    def begin(self, user: Principal | None = None, *, limit: int = 20, **more: Any) -> str:
        made = draft(**more)
        assert self.metadata.add_watcher(user or self.owner, self.collection.id, made, limit=limit, now=NOW)
        return made.connection_id

    def hold(self, now: datetime = NOW, since: datetime | None = None) -> list[Watcher]:
        at = (self.world.tenant_id, self.collection.id)
        return self.metadata.hold_watchers(*at, since=since, lease_until=now + MINUTE, now=now)

    def watched(self, now: datetime = NOW) -> list[PushRequest]:
        found = self.metadata.watched(now=now, limit=10_000)
        never = [request.since is None for request in found]
        assert never == sorted(never, reverse=True)
        moments = [request.since for request in found if request.since]
        assert moments == sorted(moments)
        return [request for request in found if request.tenant_id == self.world.tenant_id]


class TestWatchers(MetadataContract):
    @pytest.fixture
    def watching(self, world: World) -> Watching:
        return Watching(world)

    def test_who_watches_is_held_once_and_remembered(self, metadata: Metadata, watching: Watching) -> None:
        connection = watching.begin()
        (held,) = watching.hold()
        assert (held.connection_id, held.collection_id) == (connection, watching.collection.id)
        assert held.principal == Principal(watching.world.tenant_id, watching.owner.user_id, frozenset({Scope.read}))
        assert (held.admitted, held.looked_at, held.told, held.told_at) == (True, None, frozenset(), NOW)
        assert watching.hold(NOW + SECOND) == []
        later = NOW + 2 * SECOND
        assert metadata.let_go(held, Watch(later, TOLD), told_at=later), "it was asked for meanwhile"
        (again,) = watching.hold(later)
        assert (again.looked_at, again.told, again.told_at) == (later, TOLD, later)
        assert not metadata.let_go(again, Watch(later, TOLD), told_at=later)

    def test_a_lease_that_ran_out_passes_on_and_its_holder_records_nothing(
        self, metadata: Metadata, watching: Watching
    ) -> None:
        watching.begin()
        (late,) = watching.hold()
        (next_one,) = watching.hold(NOW + MINUTE)
        assert not metadata.let_go(late, Watch(NOW, TOLD), told_at=NOW)
        assert watching.hold(NOW + MINUTE + SECOND) == [], "it is held on"
        assert metadata.let_go(next_one, Watch(NOW + MINUTE), told_at=NOW + MINUTE)
        assert [one.looked_at for one in watching.hold(NOW + MINUTE)] == [NOW + MINUTE]

    def test_who_was_looked_for_since_is_left_alone(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        (held,) = watching.hold(since=NOW - HOUR)  # who was never looked for always is
        metadata.let_go(held, Watch(NOW), told_at=NOW)
        assert watching.hold(since=NOW) == []
        assert len(watching.hold(since=NOW + SECOND)) == 1

    def test_of_many_who_ask_at_once_each_watcher_is_held_by_one(self, watching: Watching) -> None:
        connections = {watching.begin() for _ in range(5)}
        with ThreadPoolExecutor(8) as threads:
            held = [one for found in threads.map(lambda _: watching.hold(), range(8)) for one in found]
        assert sorted(one.connection_id for one in held) == sorted(connections)

    def test_who_asks_again_on_a_connection_watches_that_instead(self, metadata: Metadata, watching: Watching) -> None:
        connection = watching.begin()
        (held,) = watching.hold()
        other = watching.world.collection(watching.owner, "other")
        again = replace(draft(looked_at=NOW - MINUTE), connection_id=connection)
        assert metadata.add_watcher(watching.owner, other.id, again, limit=1, now=NOW)
        assert watching.hold() == []
        assert not metadata.let_go(held, Watch(NOW), told_at=NOW)
        at = (watching.world.tenant_id, other.id)
        (found,) = metadata.hold_watchers(*at, since=None, lease_until=NOW, now=NOW)
        assert (found.looked_at, found.collection_id) == (NOW - MINUTE, other.id)

    def test_a_user_watches_on_so_many_connections(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin(closes_at=NOW)  # has been closed by now
        first = watching.begin(limit=2)
        watching.begin(limit=2)
        other = watching.world.collection(watching.owner, "other")
        assert not metadata.add_watcher(watching.owner, other.id, draft(), limit=2, now=NOW)
        watching.begin(watching.world.member(watching.owner, watching.collection, Role.viewer), limit=2)
        metadata.forget_watcher(first)
        watching.begin(limit=2)

    def test_the_limit_holds_for_many_at_once(self, metadata: Metadata, watching: Watching) -> None:
        def begin(_: int) -> bool:
            return metadata.add_watcher(watching.owner, watching.collection.id, draft(), limit=3, now=NOW)

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(begin, range(16))) == 3

    def test_only_members_may(self, metadata: Metadata, watching: Watching) -> None:
        for stranger in (World(metadata).user(), watching.world.user()):
            with pytest.raises(NotFound):
                metadata.add_watcher(stranger, watching.collection.id, draft(), limit=9, now=NOW)
        assert watching.hold() == []

    def test_who_leaves_is_forgotten(self, metadata: Metadata, watching: Watching) -> None:
        connection = watching.begin()
        (held,) = watching.hold()
        metadata.forget_watcher(connection)
        metadata.forget_watcher(connection)
        assert not metadata.let_go(held, Watch(NOW), told_at=NOW)
        assert watching.hold() == []

    def test_a_key_or_token_that_ends_is_no_longer_admitted(self, metadata: Metadata, watching: Watching) -> None:
        key = key_of(watching.owner).model_copy(update={"expires_at": NOW + HOUR, "revoked_at": None})
        hashed = api_key_hash(str(key.id))
        metadata.add_api_key(key, secret_hash=hashed)
        connection = watching.begin(key_hash=hashed)
        token = watching.begin(expires_at=NOW + HOUR)
        unknown = watching.begin(key_hash=api_key_hash("unknown"))

        def admitted(now: datetime) -> set[str]:
            return {one.connection_id for one in watching.hold(now) if one.admitted}

        assert admitted(NOW) == {connection, token}
        assert admitted(NOW + HOUR) == set()
        metadata.revoke_api_key(watching.world.tenant_id, key.id, now=NOW)
        assert admitted(NOW + HOUR - SECOND) == set(), "held on"
        assert admitted(NOW + 2 * HOUR) == set()
        metadata.forget_watcher(token)
        metadata.forget_watcher(unknown)
        assert [one.admitted for one in watching.hold(NOW - HOUR + 2 * MINUTE)] == []

    def test_a_revoked_key_is_not_admitted(self, metadata: Metadata, watching: Watching) -> None:
        key = key_of(watching.owner)
        hashed = api_key_hash(str(key.id))
        metadata.add_api_key(key, secret_hash=hashed)
        watching.begin(key_hash=hashed)
        assert [one.admitted for one in watching.hold()] == [True]
        metadata.revoke_api_key(watching.world.tenant_id, key.id, now=NOW)
        assert [one.admitted for one in watching.hold(NOW + MINUTE)] == [False]

    def test_nobody_of_a_deleted_tenant_is_admitted(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        metadata.tombstone_tenant(watching.world.tenant_id, now=NOW)
        assert [one.admitted for one in watching.hold()] == [False]

    def test_what_is_watched_is_named_until_the_connections_are_over(
        self, metadata: Metadata, watching: Watching
    ) -> None:
        at = (watching.world.tenant_id, watching.collection.id)
        assert watching.watched() == []
        watching.begin()
        assert watching.watched() == [PushRequest(*at)], "never looked for"
        (held,) = watching.hold()
        metadata.let_go(held, Watch(NOW), told_at=NOW)
        watching.begin(looked_at=NOW - SECOND)
        assert watching.watched() == [PushRequest(*at, NOW - SECOND)]
        watching.begin()
        assert watching.watched() == [PushRequest(*at)]
        assert watching.watched(NOW + 2 * HOUR) == []
        assert watching.hold() == [], "they are forgotten"

    def test_a_tenant_that_is_taken_apart_is_watched_by_nobody(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        world = watching.world
        metadata.tombstone_tenant(world.tenant_id, now=NOW)
        assert metadata.dismantle(world.tenant_id, now=NOW, limit=9)
        world.purge(watching.collection)
        assert metadata.dismantle(world.tenant_id, now=NOW, limit=9)
        assert watching.hold() == []
        assert watching.watched() == []


class TestAnnouncing:
    """Whatever members see to change is announced once it is there; `test_metadata_lives` does the same for files."""

    @pytest.fixture(params=["memory", "postgres"])
    def announced(self, request: pytest.FixtureRequest) -> Iterator[Announced]:
        self.heard, self.seconds = Announced(), 30
        if request.param == "memory":
            self.metadata: Metadata = MemoryMetadata(self.heard)
            yield self.heard
            return
        with postgres_metadata(settings_of(request.getfixturevalue("postgres")), self.heard) as self.metadata:
            yield self.heard

    @pytest.fixture
    def watching(self, announced: Announced) -> Watching:
        watching = Watching(World(self.metadata))
        watching.begin()
        return watching

    def told(self, change: Callable[[], Any], collection: Collection) -> Any:
        """What a change answers, that is announced of this collection and of no other."""
        self.heard.clear()
        answer = change()
        assert set(self.heard) == {(self.tenant, collection.id)}
        return answer

    def later(self) -> datetime:
        self.seconds += 1
        return NOW + self.seconds * SECOND

    def lease(self) -> dict[str, Any]:
        return {"lease_until": NOW + HOUR, "now": self.later()}

    def test_whatever_happens_to_files(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        file = self.told(lambda: world.file(owner, at), at)
        claim = self.told(lambda: world.claim(file), at)
        self.told(lambda: metadata.advance(claim, Stage.embedding, pages_done=1, **self.lease()), at)
        self.told(lambda: metadata.release(claim, now=self.later()), at)
        again = self.told(lambda: world.claim(file, now=self.later()), at)
        parts = [Part(0, 0, 1)]
        self.told(lambda: metadata.divide(again, parts, pages_total=1, deadline=NOW + HOUR, **self.lease()), at)
        part = metadata.claim_part(again.ref, 0, **self.lease())
        assert part
        self.told(lambda: metadata.advance(part, Stage.embedding, pages_done=1, **self.lease()), at)
        result = PartResult(1, "ab" * 32, DocumentInfo())
        finished = self.told(lambda: metadata.finish_part(part, result, **self.lease()), at)
        self.told(lambda: world.publish(finished.whole), at)
        self.told(lambda: metadata.tombstone_file(owner, at.id, file.id, now=self.later()), at)
        failing = world.claim(world.file(owner, at, "failing.pdf"))
        self.told(lambda: metadata.fail(failing, FINAL, now=self.later()), at)
        world.file(owner, at, "late.pdf")
        self.told(lambda: metadata.sweep(now=NOW + 2 * HOUR, limit=99), at)

    def test_what_is_stalled_fetched_or_expanded(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        world.claim(world.file(owner, at, "stalled.pdf"))
        self.told(lambda: metadata.sweep(now=NOW + 20 * MINUTE, limit=99), at)
        page, other = world.addressed(owner, at, "a.html"), world.addressed(owner, at, "b.html")
        self.told(lambda: metadata.begin_fetch(world.ref(page), now=self.later()), at)
        arrival = Arrival(5, "00" * 32, "text/html")
        self.told(lambda: metadata.arrive(world.ref(page), arrival, before=None, now=self.later()), at)
        self.told(lambda: metadata.refuse(world.ref(other), FINAL, now=self.later()), at)
        archive = world.claim(world.file(owner, at, "a.zip"))
        inner = world.upload("a.zip/b", 1)
        self.told(lambda: metadata.reserve_archived(archive, inner, quotas=QUOTAS, now=self.later()), at)
        self.told(lambda: metadata.drop_archived(archive, keep=[], now=self.later()), at)

    def test_who_may_no_longer_watch(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        viewer = world.member(owner, at, Role.viewer)
        self.told(lambda: metadata.remove_member(owner, at.id, viewer.user_id), at)
        self.told(lambda: metadata.tombstone_collection(owner, at.id, now=NOW), at)

    def test_nothing_where_nothing_changed_or_nobody_watches(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        claim = world.claim(world.file(owner, at))
        stale = replace(claim, token=uuid4())
        self.heard.clear()
        assert not metadata.advance(stale, Stage.embedding, **self.lease())
        assert not metadata.fail(stale, FINAL, now=NOW)
        metadata.release(stale, now=NOW)
        with pytest.raises(NotFound):
            metadata.tombstone_file(owner, at.id, uuid4(), now=NOW)
        assert world.try_claim(world.file(owner, world.collection(owner, "unwatched"), "other.pdf"))
        assert metadata.let_go(watching.hold()[0], Watch(NOW), told_at=NOW) is False
        assert not self.heard

    def test_what_is_rolled_back_is_not_announced_later(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        self.heard.clear()
        with pytest.raises(Exception, match="storage"):
            metadata.reserve_file(owner, at.id, world.upload("big", 10**6), quotas=QUOTAS, now=NOW)
        metadata.watched(now=NOW, limit=1)
        assert not self.heard
