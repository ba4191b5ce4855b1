"""Conversations, whichever metadata keeps them."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from modulo.domain.conversations.conversation import Conversation, ConversationChange, ConversationDraft
from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.operations.deletion import DeletionKind, DeletionState, Inventory, deletion_id
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Principal
from tests.metadata_world import HOUR, NOW, Metadata, MetadataContract, World, exchange


class TestConversations(MetadataContract):
    def titles(self, metadata: Metadata, user: Principal, archived: bool | None = None) -> list[str]:
        found = metadata.conversations.list_conversations(user, after=None, limit=9, archived=archived)
        return [one.title for one in found.items]

    def test_a_new_one_is_shown_as_it_was_given(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        draft = ConversationDraft(
            uuid4(), "Leave\0", collection.id, {"team": "hr\ud800"}, exchange("How long?", "30 days.")
        )
        made = metadata.conversations.create_conversation(user, draft, limit=1, now=NOW)
        assert made == Conversation(
            id=draft.id,
            title="Leave",
            collection_id=collection.id,
            metadata={"team": "hr?"},
            message_count=2,
            created_at=NOW,
            updated_at=NOW,
        )
        assert metadata.conversations.get_conversation(user, draft.id) == made

    def test_the_same_draft_creates_nothing_twice(self, metadata: Metadata, world: World) -> None:
        user, draft = world.user(), ConversationDraft(uuid4(), "Leave", messages=exchange("How long?"))
        made = metadata.conversations.create_conversation(user, draft, limit=1, now=NOW)
        assert metadata.conversations.create_conversation(user, draft, limit=1, now=NOW + HOUR) == made
        with pytest.raises(Conflict):
            metadata.conversations.create_conversation(world.user(), draft, limit=1, now=NOW)

    def test_what_was_deleted_is_not_begun_anew_under_its_id(self, metadata: Metadata, world: World) -> None:
        user, draft = world.user(), ConversationDraft(uuid4(), "Leave", messages=exchange("How long?"))
        metadata.conversations.create_conversation(user, draft, limit=9, now=NOW)
        metadata.conversations.delete_conversation(user, draft.id, now=NOW)
        with pytest.raises(Conflict, match="Idempotency-Key"):
            metadata.conversations.create_conversation(user, draft, limit=9, now=NOW)
        assert self.titles(metadata, user) == []
        metadata.conversations.delete_conversation(user, draft.id, now=NOW)

    def test_a_user_has_no_more_than_the_limit(self, metadata: Metadata, world: World) -> None:
        user, other = world.user(), world.user()
        world.conversation(user)
        with pytest.raises(QuotaExceeded, match="conversations"):
            metadata.conversations.create_conversation(user, ConversationDraft(uuid4()), limit=1, now=NOW)
        assert self.titles(metadata, user) == [""]
        metadata.conversations.create_conversation(other, ConversationDraft(uuid4()), limit=1, now=NOW)

    def test_nobody_starts_one_in_a_deleted_tenant(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        stranger = replace(user, user_id=uuid4())
        with pytest.raises(NotFound):
            metadata.conversations.create_conversation(stranger, ConversationDraft(uuid4()), limit=1, now=NOW)

    def test_pages_hold_the_last_used_first(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        for number in range(5):
            world.conversation(user, str(number), now=NOW + number * HOUR)
        first = metadata.conversations.list_conversations(user, after=None, limit=2, archived=None)
        assert first.next is not None
        second = metadata.conversations.list_conversations(
            user, after=Cursor.decode(first.next), limit=3, archived=None
        )
        assert [one.title for one in (*first.items, *second.items)] == ["4", "3", "2", "1", "0"]
        assert second.next is None

    def test_an_archived_one_can_be_left_out_or_listed_alone(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        old, new = world.conversation(user, "old"), world.conversation(user, "new", now=NOW + HOUR)
        archived = metadata.conversations.update_conversation(user, old.id, ConversationChange(archived=True), now=NOW)
        assert archived.archived
        assert self.titles(metadata, user) == ["new", "old"]
        assert self.titles(metadata, user, archived=False) == ["new"]
        assert self.titles(metadata, user, archived=True) == ["old"]
        back = metadata.conversations.update_conversation(user, old.id, ConversationChange(archived=False), now=NOW)
        assert not back.archived
        assert self.titles(metadata, user, archived=False) == [new.title, old.title]

    def test_a_change_leaves_what_it_does_not_name(self, metadata: Metadata, world: World) -> None:
        user, collection = world.searcher()
        made = world.conversation(user, "Leave")
        change = ConversationChange(title="Notice", collection_id=collection.id, metadata={"a": "b"})
        changed = metadata.conversations.update_conversation(user, made.id, change, now=NOW + HOUR)
        assert (changed.title, changed.collection_id, changed.metadata) == ("Notice", collection.id, {"a": "b"})
        later = NOW + 2 * HOUR
        assert metadata.conversations.update_conversation(
            user, made.id, ConversationChange(), now=later
        ) == changed.model_copy(update={"updated_at": later})

    def test_a_deletion_is_proved_by_its_receipt(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        made = world.conversation(user, "My illness", "What do I get?", "Sick pay.")
        metadata.conversations.delete_conversation(user, made.id, now=NOW + HOUR)
        metadata.conversations.delete_conversation(user, made.id, now=NOW + 2 * HOUR)
        with pytest.raises(NotFound):
            metadata.conversations.get_conversation(user, made.id)
        receipt = metadata.deletions.get_deletion(user, deletion_id(made.id))
        assert (receipt.kind, receipt.name, receipt.state) == (
            DeletionKind.conversation,
            "",
            DeletionState.completed,
        )
        assert receipt.removed.rows == {"conversations": 1, "messages": 2}
        assert receipt.completed_at == NOW + HOUR
        assert receipt.proof is not None
        assert Inventory(**receipt.proof.model_dump(include={"vectors", "objects", "object_bytes"})).nothing

    def test_only_an_empty_one_is_deleted_where_that_is_asked(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        full, empty = world.conversation(user, "Leave", "How long?", "28 days."), world.conversation(user, "Notice")
        for one in (full, empty):
            metadata.conversations.delete_conversation(user, one.id, only_empty=True, now=NOW)
        assert metadata.conversations.get_conversation(user, full.id).message_count == 2
        with pytest.raises(NotFound):
            metadata.conversations.get_conversation(user, empty.id)

    def test_those_not_used_for_long_expire_with_their_messages(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        past = NOW - timedelta(days=10_000)
        old = world.conversation(user, "old", "How long?", "30 days.", now=past)
        world.conversation(user, "older", now=past - HOUR)
        kept = world.conversation(user, "kept", now=past + HOUR)
        assert metadata.conversations.expire_conversations(before=past + HOUR, limit=1) == 1
        assert self.titles(metadata, user) == ["kept", "old"]
        assert metadata.conversations.expire_conversations(before=past + HOUR, limit=9) == 1
        assert metadata.conversations.expire_conversations(before=past + HOUR, limit=9) == 0
        assert self.titles(metadata, user) == ["kept"]
        for gone in (old.id, uuid4()):
            with pytest.raises(NotFound):
                metadata.conversation_messages.list_messages(user, gone, after=None, limit=9)
        assert metadata.conversation_messages.list_messages(user, kept.id, after=None, limit=9).items == ()

    def test_a_tenant_takes_its_conversations_along(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        for _ in range(3):
            world.conversation(user, "Leave", "How long?", "30 days.")
        metadata.tenants.tombstone_tenant(world.tenant_id, now=NOW)
        while (step := metadata.tenants.dismantle(world.tenant_id, now=NOW, limit=2)) and step.more:
            pass
        assert step is not None
        assert step.receipt is not None
        rows = step.receipt.removed.rows
        assert (rows["conversations"], rows["messages"], rows["users"]) == (3, 6, 1)
