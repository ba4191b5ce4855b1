"""The statements that each method sends."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from sqlalchemy import event

from modulo.domain.files.file import Stage
from tests.contracts.adapters.postgres.method_calls import calls
from tests.metadata_world import (
    HOUR,
    NOW,
    Metadata,
    World,
    methods_of_roles,
)

OF_ALL_TENANTS = {
    "tenants.add_tenant",
    "tenants.list_tenants",
    "identities.principal_of",
    "sweeping.sweep",
    "sweeping.overdue_unclaimed",
    "deletions.forget_deletions",
    "dead_letters.list_all_dead_letters",
    "usage.open_period",
    "subscriptions.forget_subscription",
    "subscriptions.pending_pushes",
    "database.ping",
    "vector_rebuilds.list_collections",
}
OF_OPERATORS = "backups."
"""These read or write all rows, in as many statements as that takes."""


class Sql(list[str]):
    """The statements that a block sends."""

    @contextmanager
    def of(self, metadata: Metadata) -> Iterator["Sql"]:
        def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
            self.append(statement)

        pool = metadata.pools.writer
        event.listen(pool, "before_cursor_execute", note)
        try:
            self.clear()
            yield self
        finally:
            event.remove(pool, "before_cursor_execute", note)


class TestStatements:
    """How many each method sends, what each holds, and what none may hold behind a pooler."""

    LIMITS: ClassVar = {
        "tenants.add_tenant": 1,
        "identities.add_user": 1,
        "identities.add_api_key": 1,
        "identities.list_api_keys": 1,
        "identities.revoke_api_key": 1,
        "identities.principal_of": 1,
        "collections.create_collection": 4,
        "collections.list_collections": 1,
        "collections.get_collection": 1,
        "collections.update_collection": 3,
        "reembeddings.start_reembedding": 7,
        "reembeddings.get_reembedding": 3,
        "reembeddings.move_reembedding": 11,
        "reembeddings.cancel_reembedding": 7,
        "members.list_members": 1,
        "members.set_member": 3,
        "members.remove_member": 2,
        "files.remove_alias": 3,
        "uploads.reserve_file": 7,
        "files.list_files": 1,
        "files.changes": 1,
        "files.get_file": 1,
        "fetching.begin_fetch": 1,
        "fetching.arrive": 5,
        "fetching.unchanged": 6,
        "fetching.postpone_fetch": 1,
        "fetching.restart_fetch": 1,
        "fetching.refuse": 4,
        "ingestion.claim": 1,
        "ingestion.advance": 1,
        "ingestion.publish": 6,
        "ingestion.fail": 5,
        "ingestion.release": 1,
        "ingestion.reset_attempts": 1,
        "parts.divide": 3,
        "parts.parts": 1,
        "parts.claim_part": 4,
        "parts.finish_part": 5,
        "ingestion.viable": 1,
        "sweeping.overdue_unclaimed": 1,
        "sweeping.postpone_deadlines": 1,
        "sweeping.sweep": 20,
        "purging.find_purge": 1,
        "deletions.record_removal": 1,
        "purging.mark_purged": 14,
        "deletions.list_deletions": 1,
        "files.get_stored_file": 1,
        "deletions.get_deletion": 1,
        "deletions.find_deletion": 1,
        "tenants.list_tenants": 1,
        "tenants.tenant_deleted": 1,
        "tenants.tombstone_tenant": 4,
        "tenants.dismantle": 13,
        "tenants.end_tenant": 4,
        "deletions.forget_deletions": 1,
        "dead_letters.record_dead_letter": 4,
        "dead_letters.list_dead_letters": 2,
        "dead_letters.list_all_dead_letters": 1,
        "reembeddings.list_owned": 1,
        "dead_letters.mark_retried": 1,
        "dead_letters.discard_dead_letters": 1,
        "grants.grant": 1,
        "grants.grants": 1,
        "grants.live_documents": 1,
        "grants.matching": 1,
        "usage.get_usage": 1,
        "usage.settle_tokens": 1,
        "usage.open_period": 3,
        "database.ping": 1,
        "files.tombstone_file": 8,
        "uploads.reserve_archived": 9,
        "uploads.drop_archived": 9,
        "collections.tombstone_collection": 6,
        "subscriptions.add_subscription": 3,
        "subscriptions.lease_subscriptions": 1,
        "subscriptions.release_subscription": 1,
        "subscriptions.forget_subscription": 1,
        "subscriptions.pending_pushes": 2,
        "files.change_file": 4,
        "identities.get_account": 1,
        "usage.reserve_tokens": 2,
        "conversations.create_conversation": 6,
        "conversations.list_conversations": 1,
        "conversations.get_conversation": 1,
        "conversations.update_conversation": 1,
        "conversation_messages.add_messages": 2,
        "conversation_messages.list_messages": 2,
        "conversation_messages.get_message": 1,
        "conversation_messages.set_feedback": 2,
        "conversation_messages.delete_message": 2,
        "conversations.delete_conversation": 4,
        "conversations.expire_conversations": 1,
        "collections.list_entries": 1,
        "collections.page_collections": 1,
        "files.find_file": 1,
        "files.list_copies": 1,
        "files.page_files": 2,  # where nothing follows, whether the list has the item that the page begins at
        "part_uploads.open_upload": 5,
        "part_uploads.get_upload": 2,
        "part_uploads.add_part": 3,
        "part_uploads.begin_completion": 4,
        "part_uploads.release_completion": 1,
        "part_uploads.end_completion": 4,
        "part_uploads.cancel_upload": 4,
        "part_uploads.forget_parts": 2,
        "file_batches.open_batch": 3,
        "file_batches.close_batch": 3,
        "file_batches.get_batch": 1,
        "file_batches.cancel_batch": 8,
        "user_files.add_user_file": 4,
        "user_files.get_user_file": 1,
        "user_files.page_user_files": 1,
        "user_files.tombstone_user_file": 2,
        "user_files.forget_user_file": 1,
        "user_deletions.list_users": 1,
        "user_deletions.remove_user": 17,
        "user_deletions.complete_removal": 6,
        "vector_rebuilds.list_collections": 1,
        "vector_rebuilds.rebuild_vectors": 9,
    }

    def test_every_method_sends_few_and_harmless_ones(self, stored: Metadata) -> None:
        while stored.sweeping.sweep(now=NOW + 2 * HOUR, limit=100).more:
            pass  # what earlier tests left, so that only this world is swept below
        world, sql = World(stored), Sql()
        counts: dict[str, int] = {}
        for name, call in calls(world).items():
            with sql.of(stored):
                call()
            counts[name] = len(sql) - (name == "tenants.add_tenant")  # that one adds a user as well
            for statement in sql:
                assert len(statement) < 4_096, name
                assert not re.match(r"\s*(SET|RESET|PREPARE|DECLARE|LISTEN|LOCK|CREATE|DISCARD)\b", statement, re.I)
                assert not re.search(r"nextval|setval|set_config|pg_advisory_lock|\bTEMP", statement, re.I), name
                if name not in OF_ALL_TENANTS:
                    assert re.search(r"tenant_id(\)|,| =|::)|tenants\.id = ", statement), statement
                    if not statement.startswith(("INSERT", "WITH")):
                        assert re.search(r"(tenant_id = (%s|given\.)|tenants\.id = %s)", statement), statement
        counts["identities.add_user"] = counts["tenants.add_tenant"]
        assert set(counts) == {name for name in methods_of_roles() if not name.startswith(OF_OPERATORS)}
        assert {name: count for name, count in counts.items() if count > self.LIMITS[name]} == {}

    def test_the_number_does_not_grow_with_what_is_there(self, stored: Metadata) -> None:
        world, sql = World(stored), Sql()
        owner = world.user()
        for number in range(9):
            collection = world.collection(owner, f"c{number}")
            world.ready(owner, collection, size=1)
        with sql.of(stored):
            page = stored.collections.list_collections(owner, after=None, limit=9, name=None)
        assert (len(page.items), len(sql)) == (9, 1)
        assert all(item.files == {Stage.ready: 1} for item in page.items)

    def test_the_number_does_not_grow_with_the_files_of_a_deleted_archive(self, stored: Metadata) -> None:
        world, sql = World(stored), Sql()
        owner = world.user()
        counts = []
        for size in (1, 8):
            collection = world.collection(owner, f"of {size}")
            archive = world.ready(owner, collection, "a.zip", 1)
            for number in range(size):
                world.ready(owner, collection, f"a.zip/{number}.txt", 1)
            with sql.of(stored):
                stored.files.tombstone_file(owner, collection.id, archive.id, now=NOW)
            counts.append(len(sql))
        assert counts[0] == counts[1]

    def test_a_duplicate_event_costs_two(self, stored: Metadata) -> None:
        world, sql = World(stored), Sql()
        owner = world.user()
        file = world.ready(owner, world.collection(owner))
        with sql.of(stored):
            assert world.try_claim(file) is None
        assert len(sql) == 2
