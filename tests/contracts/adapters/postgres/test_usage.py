"""Tokens and periods, whichever metadata keeps them."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from modulo.domain.errors import NotFound
from modulo.domain.tenancy.identity import Principal
from modulo.domain.tenancy.quota import Reservation, resets_at
from tests.metadata_world import PERIOD, QUOTAS, Metadata, MetadataContract, World

DAY = timedelta(days=1)


class TestTokens(MetadataContract):
    def tokens(self, world: World, user: Principal, period: date = PERIOD) -> tuple[int, int]:
        usage = world.metadata.usage.get_usage(user, period=period, quotas=QUOTAS)
        return usage.tokens_reserved, usage.tokens_used

    def test_a_stranger_has_used_nothing(self, world: World) -> None:
        usage = world.usage(Principal(world.tenant_id, uuid4(), frozenset()))
        assert (usage.collections, usage.storage_bytes, usage.tokens_used, usage.tokens_reserved) == (0, 0, 0, 0)
        assert (usage.period, usage.resets_at, usage.quotas) == (PERIOD, resets_at(PERIOD), QUOTAS)

    def test_a_reservation_becomes_what_was_used(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        assert world.reserve(user, collection, 60)
        assert self.tokens(world, user) == (60, 0)
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=60, used=25)
        assert self.tokens(world, user) == (0, 25)

    def test_a_refund_gives_everything_back(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        assert world.reserve(user, collection, 100)
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=100, used=0)
        assert self.tokens(world, user) == (0, 0)
        assert world.reserve(user, collection, 100)

    def test_no_more_is_reserved_than_is_left(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        assert not world.reserve(user, collection, 101)
        assert world.reserve(user, collection, 60)
        assert not world.reserve(user, collection, 41)
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=60, used=60)
        assert not world.reserve(user, collection, 41)
        assert world.reserve(user, collection, 40)
        assert self.tokens(world, user) == (40, 60)

    def test_what_is_not_reserved_leaves_everything_as_it_was(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=0, used=500)
        assert not world.reserve(user, collection, 1)
        assert world.live(user, collection) == {}
        assert self.tokens(world, user) == (0, 500)

    def test_who_may_not_search_reserves_nothing(self, metadata: Metadata, world: World) -> None:
        stranger, (_, collection) = world.user(), world.searcher()
        with pytest.raises(NotFound):
            world.reserve(stranger, collection, 10)
        assert self.tokens(world, stranger) == (0, 0)

    def test_several_collections_reserve_once(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        ids = [collection.id, *(world.collection(user, name).id for name in ("second", "third"))]
        wanted = Reservation(PERIOD, 40, 100)
        for reserved in (True, True, False):
            assert metadata.grants.live_documents(user, ids, [], reservation=wanted).reserved is reserved
        assert self.tokens(world, user) == (80, 0)

    def test_documents_come_with_the_reservation(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        file = world.ready(user, collection)
        for limit, reserved in ((100, True), (100, False)):
            seen = metadata.grants.live_documents(
                user, [collection.id], [file.id], reservation=Reservation(PERIOD, 60, limit)
            )
            assert (seen.grants, seen.reserved) == ((metadata.grants.grant(user, collection.id),), reserved)
            assert seen.documents == world.live(user, collection, file.id)
        assert self.tokens(world, user) == (60, 0)

    def test_users_and_periods_are_apart(self, metadata: Metadata, world: World) -> None:
        (user, collection), (other, elsewhere) = world.searcher(), world.searcher()
        assert world.reserve(user, collection, 100)
        assert world.reserve(user, collection, 100, period=PERIOD + DAY)
        assert world.reserve(other, elsewhere, 100)

    def test_counts_never_fall_below_nothing(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=50, used=7)
        metadata.usage.settle_tokens(user, period=PERIOD, reserved=50, used=7)
        assert self.tokens(world, user) == (0, 14)


class TestPeriods(MetadataContract):
    def test_a_new_period_drops_reservations_and_forgets_the_old(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        start = date(1900, 1, 1) + timedelta(days=world.tenant_id.int % 30_000)  # periods are every tenant's
        for period in (start - 3 * DAY, start - DAY, start):
            assert world.reserve(user, collection, 50, period=period)
            metadata.usage.settle_tokens(user, period=period, reserved=10, used=10)
        assert metadata.usage.open_period(start, keep_from=start - 2 * DAY)

        def tokens(period: date) -> tuple[int, int]:
            usage = metadata.usage.get_usage(user, period=period, quotas=QUOTAS)
            return usage.tokens_reserved, usage.tokens_used

        assert [tokens(start - n * DAY) for n in (3, 1, 0)] == [(0, 0), (0, 10), (40, 10)]
        metadata.usage.settle_tokens(user, period=start - DAY, reserved=40, used=5)  # one that was under way
        assert tokens(start - DAY) == (0, 15)
        assert world.reserve(user, collection, 5, period=start - DAY)
        assert not metadata.usage.open_period(start, keep_from=start + DAY)
        assert [tokens(start - n * DAY) for n in (1, 0)] == [(5, 15), (40, 10)]
