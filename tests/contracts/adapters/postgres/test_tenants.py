"""Tenants, and how a deleted one is removed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from modulo.adapters.postgres.engine import transaction
from modulo.adapters.postgres.tables import metadata as tables
from modulo.domain.errors import ModuloError, NotFound
from modulo.domain.operations.deletion import DeletionKind, DeletionState, Inventory, Removed, deletion_id
from modulo.domain.operations.purge import PurgeRequest, TenantPurgeStep
from modulo.domain.tenancy.identity import Principal, Role, Scope, Tenant, User, api_key_hash
from tests.metadata_world import HOUR, NOW, PERIOD, Metadata, MetadataContract, World, key_of

MINUTE = timedelta(minutes=1)
LATER = NOW + HOUR
NOTHING = Inventory()


def rows_of(metadata: Metadata, tenant_id: UUID) -> dict[str, int]:
    """How many rows are left of the tenant, by table."""
    with transaction(metadata.pools.writer) as connection:
        found = {
            table.name: len(connection.execute(select(table).where(table.c.tenant_id == tenant_id)).all())
            for table in tables.sorted_tables
            if "tenant_id" in table.c
        }
    return {name: number for name, number in found.items() if number}


def large(world: World) -> list[Principal]:
    """A tenant with some of everything."""
    metadata = world.metadata
    users = [world.user(f"user {number}") for number in range(3)]
    for number, owner in enumerate(users):
        metadata.identities.add_api_key(key_of(owner), secret_hash=api_key_hash(str(owner.user_id)))
        metadata.usage.settle_tokens(owner, period=PERIOD, reserved=0, used=1)
        for name in ("a", "b"):
            collection = world.collection(owner, f"{name}{number}")
            metadata.members.set_member(owner, collection.id, users[number - 1].user_id, Role.editor)
            world.ready(owner, collection, "replaced.pdf", 1)
            file = world.ready(owner, collection, "replaced.pdf", 1)
            world.ready(owner, collection, "kept.pdf", 1)
        metadata.files.tombstone_file(owner, collection.id, file.id, now=NOW)
    return users


def drained(world: World, *, limit: int, held: Inventory = NOTHING) -> int:
    """Do what the queue has done: every step and every purge asked for; how many steps it took."""
    metadata = world.metadata
    asked, steps = [PurgeRequest(world.tenant_id)], 0
    while asked:
        request = asked.pop(0)
        if request.collection_id is not None:
            found = metadata.purging.find_purge(world.tenant_id, request.collection_id, None)
            if found is not None:
                assert found.receipt is not None
                full = metadata.deletions.record_removal(world.tenant_id, found.receipt, held, cached=1, now=LATER)
                assert full is not None
                world.purged(replace(found, receipt=full), now=LATER)
                asked.append(PurgeRequest(world.tenant_id))
            continue
        step = metadata.tenants.dismantle(world.tenant_id, now=LATER, limit=limit)
        steps += 1
        if step is None:
            continue
        assert len(step.requests) <= limit
        asked += step.requests
        if step.more:
            asked.append(request)
        if step.receipt is not None:
            proven = metadata.deletions.record_removal(world.tenant_id, step.receipt, Inventory(), cached=0, now=LATER)
            assert proven is not None
            assert metadata.tenants.end_tenant(world.tenant_id, proven, now=LATER)
    return steps


class TestDeletingTenants(MetadataContract):
    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_nothing_is_left_but_a_tombstone_with_its_receipt(
        self, metadata: Metadata, world: World, limit: int
    ) -> None:
        other = World(metadata)
        kept = other.ready(owner := other.user(), other.collection(owner))
        large(world)
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        steps = drained(world, limit=limit, held=Inventory(vectors={"chunks": 3}, objects=2, object_bytes=20))
        assert steps >= 60 // limit // 10
        assert rows_of(metadata, world.tenant_id) == {"deletions": 1}
        told = metadata.deletions.find_deletion(world.tenant_id, deletion_id(world.tenant_id))
        assert told is not None
        assert (told.kind, told.name, told.requested_by) == (DeletionKind.tenant, "acme", None)
        assert (told.state, told.requested_at, told.completed_at) == (DeletionState.completed, NOW, LATER)
        rows = dict(told.removed.rows)
        assert {name: rows.pop(name) for name in ("users", "api_keys", "usage", "collections", "members")} == {
            "users": 3,
            "api_keys": 3,
            "usage": 3,
            "collections": 6,
            "members": 12,
        }
        assert (rows["files"], rows["generations"]) == (12, 18)
        assert told.removed.model_copy(update={"rows": {}}) == Removed(
            vectors={"chunks": 18}, objects=12, object_bytes=120, cached_entries=6, storage_bytes=18
        )
        assert told.proof is not None
        assert told.proof.checked_at == LATER
        assert metadata.tenants.dismantle(world.tenant_id, now=LATER, limit=9) is None
        assert world.swept(now=NOW + 99 * HOUR) == ([], [], [])
        assert other.metadata.files.get_file(owner, kept.collection_id, kept.id) == kept

    def test_its_keys_end_at_once_and_nobody_is_added(self, metadata: Metadata, world: World) -> None:
        owner = world.user()
        collection, secret = world.collection(owner), api_key_hash(str(owner.user_id))
        metadata.identities.add_api_key(key_of(owner), secret_hash=secret)
        assert metadata.identities.principal_of(secret, now=NOW)
        assert not metadata.tenants.tenant_deleted(world.tenant_id)
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        assert metadata.tenants.tenant_deleted(world.tenant_id)
        assert metadata.identities.principal_of(secret, now=NOW) is None
        stranger = Principal(world.tenant_id, uuid4(), frozenset(Scope))
        with pytest.raises(NotFound):
            metadata.identities.add_user(User(tenant_id=world.tenant_id, id=stranger.user_id, name="late"))
        with pytest.raises(NotFound):
            metadata.collections.create_collection(stranger, world.draft("late"), limit=9, now=NOW)
        drained(world, limit=9)
        with pytest.raises(NotFound):
            metadata.collections.create_collection(owner, world.draft("late"), limit=9, now=NOW)
        with pytest.raises(NotFound):
            metadata.collections.get_collection(owner, collection.id)
        metadata.tenants.add_tenant(Tenant(id=world.tenant_id, name="acme"))
        assert metadata.tenants.tenant_deleted(world.tenant_id)

    def test_again_changes_nothing_and_an_unknown_one_is_not_found(self, metadata: Metadata, world: World) -> None:
        world.user()
        with pytest.raises(NotFound):
            metadata.tenants.tombstone_tenant(uuid4(), now=NOW)
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9) is None
        for moment in (NOW, LATER):
            metadata.tenants.tombstone_tenant(world.tenant_id, now=moment)
            told = metadata.deletions.find_deletion(world.tenant_id, deletion_id(world.tenant_id))
            assert told
            assert (told.requested_at, told.state) == (NOW, DeletionState.requested)
        drained(world, limit=9)
        metadata.tenants.tombstone_tenant(world.tenant_id, now=LATER)
        assert metadata.tenants.dismantle(world.tenant_id, now=LATER, limit=9) is None

    def test_it_is_visible_to_nobody_at_once_and_waits_for_its_collections(
        self, metadata: Metadata, world: World
    ) -> None:
        owner = world.user()
        dropped, living = world.collection(owner, "dropped"), world.collection(owner, "living")
        world.file(owner, dropped)
        world.file(owner, living)
        metadata.collections.tombstone_collection(owner, dropped.id, now=NOW)
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9) == TenantPurgeStep(
            (PurgeRequest(world.tenant_id, living.id),), more=False, receipt=None
        )
        for collection in (dropped, living):
            with pytest.raises(NotFound):
                metadata.collections.get_collection(owner, collection.id)
            told = metadata.deletions.get_deletion(owner, deletion_id(collection.id))
            assert told.part_of == deletion_id(world.tenant_id)
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9) == TenantPurgeStep(
            (), more=False, receipt=None
        )
        world.purge(dropped, now=NOW)  # a direct upload may still arrive
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9) == TenantPurgeStep(
            (), more=False, receipt=None
        )
        world.purge(dropped, now=LATER)
        world.purge(living, now=LATER)
        step = metadata.tenants.dismantle(world.tenant_id, now=LATER, limit=9)
        assert step
        assert step.receipt
        assert step.receipt.removed.rows["collections"] == 2
        assert step.receipt.removed.storage_bytes == 200

    def test_a_sweep_names_it_until_it_is_gone(self, metadata: Metadata, world: World) -> None:
        world.user()
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        asked = PurgeRequest(world.tenant_id)
        assert world.swept(now=NOW + MINUTE / 2)[2] == []
        assert world.swept(now=NOW + MINUTE)[2] == [asked]
        assert world.swept(now=NOW + 2 * MINUTE)[2] == []
        assert metadata.tenants.dismantle(world.tenant_id, now=NOW + 5 * MINUTE, limit=9)
        assert world.swept(now=NOW + 14 * MINUTE)[2] == []
        assert world.swept(now=NOW + 15 * MINUTE)[2] == [asked]
        drained(world, limit=9)
        assert world.swept(now=NOW + 99 * HOUR)[2] == []

    def test_what_proves_nothing_ends_nothing(self, metadata: Metadata, world: World) -> None:
        world.user()
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        step = metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=9)
        assert step
        assert step.receipt
        assert not metadata.tenants.end_tenant(world.tenant_id, step.receipt, now=NOW)
        left = metadata.deletions.record_removal(world.tenant_id, step.receipt, Inventory(objects=1), cached=0, now=NOW)
        assert left
        assert not metadata.tenants.end_tenant(world.tenant_id, left, now=NOW)
        assert metadata.deletions.record_removal(world.tenant_id, step.receipt, Inventory(), cached=0, now=NOW) is None
        assert world.swept(now=LATER)[2] == [PurgeRequest(world.tenant_id)]

    def test_they_are_listed_by_id(self, metadata: Metadata, world: World) -> None:
        worlds = [World(metadata) for _ in range(3)]
        for one in worlds:
            one.user()
        gone = worlds[0].tenant_id
        metadata.tenants.tombstone_tenant(gone, now=NOW)
        found, after = [], None
        while page := metadata.tenants.list_tenants(after=after, limit=2):
            found += page
            after = page[-1].id
        assert [one.id for one in found] == sorted(one.id for one in found)
        mine = {one.id: one for one in found if one.id in {world.tenant_id for world in worlds}}
        assert len(mine) == 3
        assert mine[gone] == Tenant(id=gone, name="acme", deleted_at=NOW)
        drained(worlds[0], limit=9)
        (ended,) = (one for one in metadata.tenants.list_tenants(after=None, limit=10_000) if one.id == gone)
        assert ended == Tenant(id=gone, name="", deleted_at=NOW)

    def test_whoever_comes_meanwhile_leaves_nothing(self, metadata: Metadata, world: World) -> None:
        """Callers whose credentials were found valid just before go on while their tenant is taken apart."""
        users = large(world)
        strangers = [Principal(world.tenant_id, uuid4(), frozenset(Scope)) for _ in range(10)]

        def intrude(caller: Principal) -> None:
            for number in range(10):
                for act in (
                    lambda: metadata.collections.create_collection(
                        caller, world.draft(f"n{uuid4()}"), limit=99, now=NOW
                    ),
                    lambda: metadata.usage.settle_tokens(caller, period=PERIOD, reserved=1, used=number),  # noqa: B023
                ):
                    ignoring(act)

        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        with ThreadPoolExecutor(8) as pool:
            intruders = [pool.submit(intrude, caller) for caller in (*users, *strangers)]
            for _ in range(3):
                ignoring(lambda: drained(world, limit=3))
            for intruder in intruders:
                intruder.result()
        drained(world, limit=100)
        assert rows_of(metadata, world.tenant_id) == {"deletions": 1}
        told = metadata.deletions.find_deletion(world.tenant_id, deletion_id(world.tenant_id))
        assert told
        assert told.state is DeletionState.completed


def ignoring(act: Callable[[], object]) -> None:
    try:
        act()
    except ModuloError:
        return
