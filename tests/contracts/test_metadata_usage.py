"""Tokens and periods, whichever metadata keeps them."""

from datetime import date, timedelta
from uuid import uuid4

from modulo.domain.identity import Principal
from modulo.domain.quota import resets_at
from modulo.ports import Metadata
from tests.contracts.metadata_world import PERIOD, QUOTAS, MetadataContract, World

DAY = timedelta(days=1)


class TestTokens(MetadataContract):
    def tokens(self, world: World, user: Principal, period: date = PERIOD) -> tuple[int, int]:
        usage = world.metadata.usage(user, period=period, quotas=QUOTAS)
        return usage.tokens_reserved, usage.tokens_used

    def test_a_stranger_has_used_nothing(self, world: World) -> None:
        usage = world.usage(Principal(world.tenant_id, uuid4(), frozenset()))
        assert (usage.collections, usage.storage_bytes, usage.tokens_used, usage.tokens_reserved) == (0, 0, 0, 0)
        assert (usage.period, usage.resets_at, usage.quotas) == (PERIOD, resets_at(PERIOD), QUOTAS)

    def test_a_reservation_becomes_what_was_used(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=60, limit=100)
        assert self.tokens(world, user) == (60, 0)
        metadata.settle_tokens(user, period=PERIOD, reserved=60, used=25)
        assert self.tokens(world, user) == (0, 25)

    def test_a_refund_gives_everything_back(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=100, limit=100)
        metadata.settle_tokens(user, period=PERIOD, reserved=100, used=0)
        assert self.tokens(world, user) == (0, 0)
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=100, limit=100)

    def test_no_more_is_reserved_than_is_left(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        assert not metadata.reserve_tokens(user, period=PERIOD, tokens=101, limit=100)
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=60, limit=100)
        assert not metadata.reserve_tokens(user, period=PERIOD, tokens=41, limit=100)
        metadata.settle_tokens(user, period=PERIOD, reserved=60, used=60)
        assert not metadata.reserve_tokens(user, period=PERIOD, tokens=41, limit=100)
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=40, limit=100)
        assert self.tokens(world, user) == (40, 60)

    def test_nothing_can_always_be_reserved(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        metadata.settle_tokens(user, period=PERIOD, reserved=0, used=500)
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=0, limit=100)
        assert self.tokens(world, user) == (0, 500)

    def test_a_caller_known_only_to_an_identity_provider_may_reserve(self, metadata: Metadata, world: World) -> None:
        caller = Principal(uuid4(), uuid4(), frozenset())
        assert not metadata.reserve_tokens(caller, period=PERIOD, tokens=101, limit=100)
        assert metadata.reserve_tokens(caller, period=PERIOD, tokens=100, limit=100)
        assert self.tokens(world, caller) == (100, 0)

    def test_users_and_periods_are_apart(self, metadata: Metadata, world: World) -> None:
        user, other = world.user(), world.user()
        assert metadata.reserve_tokens(user, period=PERIOD, tokens=100, limit=100)
        assert metadata.reserve_tokens(user, period=PERIOD + DAY, tokens=100, limit=100)
        assert metadata.reserve_tokens(other, period=PERIOD, tokens=100, limit=100)

    def test_counts_never_fall_below_nothing(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        metadata.settle_tokens(user, period=PERIOD, reserved=50, used=7)
        metadata.settle_tokens(user, period=PERIOD, reserved=50, used=7)
        assert self.tokens(world, user) == (0, 14)


class TestPeriods(MetadataContract):
    def test_a_new_period_drops_reservations_and_forgets_the_old(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        start = date(1900, 1, 1) + timedelta(days=world.tenant_id.int % 30_000)  # periods are every tenant's
        for period in (start - 3 * DAY, start - DAY, start):
            assert metadata.reserve_tokens(user, period=period, tokens=50, limit=100)
            metadata.settle_tokens(user, period=period, reserved=10, used=10)
        assert metadata.open_period(start, keep_from=start - 2 * DAY)

        def tokens(period: date) -> tuple[int, int]:
            usage = metadata.usage(user, period=period, quotas=QUOTAS)
            return usage.tokens_reserved, usage.tokens_used

        assert [tokens(start - n * DAY) for n in (3, 1, 0)] == [(0, 0), (0, 10), (40, 10)]
        metadata.settle_tokens(user, period=start - DAY, reserved=40, used=5)  # one that was under way
        assert tokens(start - DAY) == (0, 15)
        assert metadata.reserve_tokens(user, period=start - DAY, tokens=5, limit=100)
        assert not metadata.open_period(start, keep_from=start + DAY)
        assert [tokens(start - n * DAY) for n in (1, 0)] == [(5, 15), (40, 10)]
