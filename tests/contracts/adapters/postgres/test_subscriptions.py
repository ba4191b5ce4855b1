"""Who watches on connections of API Gateway, and what is announced of what they watch, whichever metadata keeps it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from modulo.domain.collections.collection import Collection
from modulo.domain.documents.document import Part
from modulo.domain.errors import NotFound
from modulo.domain.files.file import DocumentInfo, Stage
from modulo.domain.files.subscription import StreamPosition, Subscription
from modulo.domain.files.web import ContentInfo
from modulo.domain.ingestion.claim import PartResult
from modulo.domain.operations.messages import PushRequest
from modulo.domain.tenancy.identity import Principal, Role, Scope, api_key_hash
from tests.metadata_world import (
    FINAL,
    HOUR,
    NOW,
    PASSING,
    QUOTAS,
    Announced,
    Metadata,
    MetadataContract,
    World,
    key_of,
    postgres_metadata,
    settings_of,
    subscription_draft,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
TOLD = frozenset({b"12345678", b"abcdefgh"})


class Watching:
    """A collection that somebody watches."""

    def __init__(self, world: World) -> None:
        self.world, self.metadata = world, world.metadata
        self.owner = world.user()
        self.collection = world.collection(self.owner)

    def begin(self, user: Principal | None = None, *, limit: int = 20, **more: Any) -> str:
        made = subscription_draft(**more)
        assert self.metadata.subscriptions.add_subscription(
            user or self.owner, self.collection.id, made, limit=limit, now=NOW
        )
        return made.connection_id

    def hold(self, now: datetime = NOW, since: datetime | None = None) -> list[Subscription]:
        at = (self.world.tenant_id, self.collection.id)
        return self.metadata.subscriptions.lease_subscriptions(*at, since=since, lease_until=now + MINUTE, now=now)

    def watched(self, now: datetime = NOW) -> list[PushRequest]:
        found = self.metadata.subscriptions.pending_pushes(now=now, limit=10_000)
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
        assert (held.authorized, held.looked_at, held.delivered, held.delivered_at) == (True, None, frozenset(), NOW)
        assert watching.hold(NOW + SECOND) == []
        later = NOW + 2 * SECOND
        assert metadata.subscriptions.release_subscription(held, StreamPosition(later, TOLD), delivered_at=later), (
            "it was asked for meanwhile"
        )
        (again,) = watching.hold(later)
        assert (again.looked_at, again.delivered, again.delivered_at) == (later, TOLD, later)
        assert not metadata.subscriptions.release_subscription(again, StreamPosition(later, TOLD), delivered_at=later)

    def test_a_lease_that_ran_out_passes_on_and_its_holder_records_nothing(
        self, metadata: Metadata, watching: Watching
    ) -> None:
        watching.begin()
        (late,) = watching.hold()
        (next_one,) = watching.hold(NOW + MINUTE)
        assert not metadata.subscriptions.release_subscription(late, StreamPosition(NOW, TOLD), delivered_at=NOW)
        assert watching.hold(NOW + MINUTE + SECOND) == [], "it is held on"
        assert metadata.subscriptions.release_subscription(
            next_one, StreamPosition(NOW + MINUTE), delivered_at=NOW + MINUTE
        )
        assert [one.looked_at for one in watching.hold(NOW + MINUTE)] == [NOW + MINUTE]

    def test_who_was_looked_for_since_is_left_alone(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        (held,) = watching.hold(since=NOW - HOUR)  # who was never looked for always is
        metadata.subscriptions.release_subscription(held, StreamPosition(NOW), delivered_at=NOW)
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
        again = replace(subscription_draft(looked_at=NOW - MINUTE), connection_id=connection)
        assert metadata.subscriptions.add_subscription(watching.owner, other.id, again, limit=1, now=NOW)
        assert watching.hold() == []
        assert not metadata.subscriptions.release_subscription(held, StreamPosition(NOW), delivered_at=NOW)
        at = (watching.world.tenant_id, other.id)
        (found,) = metadata.subscriptions.lease_subscriptions(*at, since=None, lease_until=NOW, now=NOW)
        assert (found.looked_at, found.collection_id) == (NOW - MINUTE, other.id)

    def test_a_user_watches_on_so_many_connections(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin(closes_at=NOW)  # has been closed by now
        first = watching.begin(limit=2)
        watching.begin(limit=2)
        other = watching.world.collection(watching.owner, "other")
        assert not metadata.subscriptions.add_subscription(
            watching.owner, other.id, subscription_draft(), limit=2, now=NOW
        )
        watching.begin(watching.world.member(watching.owner, watching.collection, Role.viewer), limit=2)
        metadata.subscriptions.forget_subscription(first)
        watching.begin(limit=2)

    def test_the_limit_holds_for_many_at_once(self, metadata: Metadata, watching: Watching) -> None:
        def begin(_: int) -> bool:
            return metadata.subscriptions.add_subscription(
                watching.owner, watching.collection.id, subscription_draft(), limit=3, now=NOW
            )

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(begin, range(16))) == 3

    def test_only_members_may(self, metadata: Metadata, watching: Watching) -> None:
        for stranger in (World(metadata).user(), watching.world.user()):
            with pytest.raises(NotFound):
                metadata.subscriptions.add_subscription(
                    stranger, watching.collection.id, subscription_draft(), limit=9, now=NOW
                )
        assert watching.hold() == []

    def test_who_leaves_is_forgotten(self, metadata: Metadata, watching: Watching) -> None:
        connection = watching.begin()
        (held,) = watching.hold()
        metadata.subscriptions.forget_subscription(connection)
        metadata.subscriptions.forget_subscription(connection)
        assert not metadata.subscriptions.release_subscription(held, StreamPosition(NOW), delivered_at=NOW)
        assert watching.hold() == []

    def test_a_key_or_token_that_ends_is_no_longer_admitted(self, metadata: Metadata, watching: Watching) -> None:
        key = key_of(watching.owner).model_copy(update={"expires_at": NOW + HOUR, "revoked_at": None})
        hashed = api_key_hash(str(key.id))
        metadata.identities.add_api_key(key, secret_hash=hashed)
        connection = watching.begin(key_hash=hashed)
        token = watching.begin(expires_at=NOW + HOUR)
        unknown = watching.begin(key_hash=api_key_hash("unknown"))

        def authorized(now: datetime) -> set[str]:
            return {one.connection_id for one in watching.hold(now) if one.authorized}

        assert authorized(NOW) == {connection, token}
        assert authorized(NOW + HOUR) == set()
        metadata.identities.revoke_api_key(watching.world.tenant_id, key.id, now=NOW)
        assert authorized(NOW + HOUR - SECOND) == set(), "held on"
        assert authorized(NOW + 2 * HOUR) == set()
        metadata.subscriptions.forget_subscription(token)
        metadata.subscriptions.forget_subscription(unknown)
        assert [one.authorized for one in watching.hold(NOW - HOUR + 2 * MINUTE)] == []

    def test_a_revoked_key_is_not_admitted(self, metadata: Metadata, watching: Watching) -> None:
        key = key_of(watching.owner)
        hashed = api_key_hash(str(key.id))
        metadata.identities.add_api_key(key, secret_hash=hashed)
        watching.begin(key_hash=hashed)
        assert [one.authorized for one in watching.hold()] == [True]
        metadata.identities.revoke_api_key(watching.world.tenant_id, key.id, now=NOW)
        assert [one.authorized for one in watching.hold(NOW + MINUTE)] == [False]

    def test_nobody_of_a_deleted_tenant_is_admitted(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        metadata.tenants.tombstone_tenant(watching.world.tenant_id, now=NOW)
        assert [one.authorized for one in watching.hold()] == [False]

    def test_what_is_watched_is_named_until_the_connections_are_over(
        self, metadata: Metadata, watching: Watching
    ) -> None:
        at = (watching.world.tenant_id, watching.collection.id)
        assert watching.watched() == []
        watching.begin()
        assert watching.watched() == [PushRequest(*at)], "never looked for"
        (held,) = watching.hold()
        metadata.subscriptions.release_subscription(held, StreamPosition(NOW), delivered_at=NOW)
        watching.begin(looked_at=NOW - SECOND)
        assert watching.watched() == [PushRequest(*at, NOW - SECOND)]
        watching.begin()
        assert watching.watched() == [PushRequest(*at)]
        assert watching.watched(NOW + 2 * HOUR) == []
        assert watching.hold() == [], "they are forgotten"

    def test_a_tenant_that_is_taken_apart_is_watched_by_nobody(self, metadata: Metadata, watching: Watching) -> None:
        watching.begin()
        world = watching.world
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9)
        world.purge(watching.collection)
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9)
        assert watching.hold() == []
        assert watching.watched() == []


class TestAnnouncing:
    """Whatever members see to change is announced; `tests/scenarios/test_file_lives.py` does the same for files."""

    @pytest.fixture
    def announced(self, postgres: dict[str, str]) -> Iterator[Announced]:
        self.heard, self.seconds = Announced(), 30
        with postgres_metadata(settings_of(postgres), self.heard) as self.metadata:
            yield self.heard

    @pytest.fixture
    def watching(self, announced: Announced) -> Watching:
        watching = Watching(World(self.metadata))
        watching.begin()
        return watching

    def check_announced(self, change: Callable[[], Any], collection: Collection) -> Any:
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
        file = self.check_announced(lambda: world.file(owner, at), at)
        claim = self.check_announced(lambda: world.claim(file), at)
        self.check_announced(
            lambda: metadata.ingestion.advance(claim, Stage.embedding, pages_done=1, **self.lease()), at
        )
        self.check_announced(lambda: metadata.ingestion.release(claim, now=self.later()), at)
        again = self.check_announced(lambda: world.claim(file, now=self.later()), at)
        parts = [Part(0, 0, 1)]
        self.check_announced(
            lambda: metadata.parts.divide(again, parts, pages_total=1, deadline=NOW + HOUR, **self.lease()), at
        )
        part = metadata.parts.claim_part(again.ref, 0, **self.lease())
        assert part
        self.check_announced(
            lambda: metadata.ingestion.advance(part, Stage.embedding, pages_done=1, **self.lease()), at
        )
        result = PartResult(1, "ab" * 32, DocumentInfo())
        finished = self.check_announced(lambda: metadata.parts.finish_part(part, result, **self.lease()), at)
        self.check_announced(lambda: world.publish(finished.whole), at)
        self.check_announced(lambda: metadata.files.tombstone_file(owner, at.id, file.id, now=self.later()), at)
        failing = world.claim(world.file(owner, at, "failing.pdf"))
        self.check_announced(lambda: metadata.ingestion.fail(failing, FINAL, now=self.later()), at)
        world.file(owner, at, "late.pdf")
        self.check_announced(lambda: metadata.sweeping.sweep(now=NOW + 2 * HOUR, limit=99), at)

    def test_what_is_stalled_fetched_or_expanded(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        world.claim(world.file(owner, at, "stalled.pdf"))
        self.check_announced(lambda: metadata.sweeping.sweep(now=NOW + 20 * MINUTE, limit=99), at)
        page, other = world.addressed(owner, at, "a.html"), world.addressed(owner, at, "b.html")
        self.check_announced(lambda: metadata.fetching.begin_fetch(world.ref(page), now=self.later()), at)
        arrival = ContentInfo(5, "00" * 32, "text/html")
        self.check_announced(
            lambda: metadata.fetching.arrive(world.ref(page), arrival, before=None, now=self.later()), at
        )
        self.check_announced(
            lambda: metadata.fetching.postpone_fetch(world.ref(other), FINAL, until=NOW + 2 * MINUTE, now=self.later()),
            at,
        )
        self.check_announced(lambda: metadata.fetching.refuse(world.ref(other), PASSING, now=self.later()), at)
        self.check_announced(
            lambda: metadata.fetching.restart_fetch(world.ref(other), deadline=NOW + 60 * MINUTE, now=self.later()),
            at,
        )
        archive = world.claim(world.file(owner, at, "a.zip"))
        inner = world.upload("a.zip/b", 1)
        self.check_announced(
            lambda: metadata.uploads.reserve_archived(archive, inner, quotas=QUOTAS, now=self.later()), at
        )
        self.check_announced(lambda: metadata.uploads.drop_archived(archive, keep=[], now=self.later()), at)

    def test_who_may_no_longer_watch(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        viewer = world.member(owner, at, Role.viewer)
        self.check_announced(lambda: metadata.members.remove_member(owner, at.id, viewer.user_id), at)
        self.check_announced(lambda: metadata.collections.tombstone_collection(owner, at.id, now=NOW), at)

    def test_nothing_where_nothing_changed_or_nobody_watches(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        claim = world.claim(world.file(owner, at))
        stale = replace(claim, token=uuid4())
        self.heard.clear()
        assert not metadata.ingestion.advance(stale, Stage.embedding, **self.lease())
        assert not metadata.ingestion.fail(stale, FINAL, now=NOW)
        metadata.ingestion.release(stale, now=NOW)
        with pytest.raises(NotFound):
            metadata.files.tombstone_file(owner, at.id, uuid4(), now=NOW)
        assert world.try_claim(world.file(owner, world.collection(owner, "unwatched"), "other.pdf"))
        assert (
            metadata.subscriptions.release_subscription(watching.hold()[0], StreamPosition(NOW), delivered_at=NOW)
            is False
        )
        assert not self.heard

    def test_what_is_rolled_back_is_not_announced_later(self, watching: Watching) -> None:
        world, metadata, owner, at = watching.world, self.metadata, watching.owner, watching.collection
        self.tenant = world.tenant_id
        self.heard.clear()
        with pytest.raises(Exception, match="storage"):
            metadata.uploads.reserve_file(owner, at.id, world.upload("big", 10**6), quotas=QUOTAS, now=NOW)
        metadata.subscriptions.pending_pushes(now=NOW, limit=1)
        assert not self.heard
