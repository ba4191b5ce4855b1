"""The messages of conversations, whichever metadata keeps them."""

from collections.abc import Sequence
from threading import Thread
from uuid import UUID, uuid4

import pytest

from modulo.domain.conversations.conversation import (
    ConversationChange,
    Feedback,
    MessageDraft,
    MessageRole,
    Rating,
    StoredMessage,
)
from modulo.domain.errors import Conflict, NotFound, QuotaExceeded
from modulo.domain.search.search import Citation
from modulo.domain.tenancy.identity import Principal
from tests.metadata_world import HOUR, NOW, Metadata, MetadataContract, World, exchange

CITATION = Citation(
    mark=1,
    document_id=uuid4(),
    title="Handbook",
    excerpt="30 days",
    page_number=2,
    relevance_score=0.9,
    chunk_id=uuid4(),
)


class TestMessages(MetadataContract):
    def contents(self, metadata: Metadata, user: Principal, conversation_id: UUID) -> list[str]:
        page = metadata.conversation_messages.list_messages(user, conversation_id, after=None, limit=99)
        return [one.message.content for one in page.items]

    def add(
        self, metadata: Metadata, user: Principal, at: UUID, drafts: Sequence[MessageDraft], limit: int = 99
    ) -> tuple[StoredMessage, ...]:
        return metadata.conversation_messages.add_messages(user, at, drafts, limit=limit, now=NOW + HOUR)

    def test_an_exchange_is_stored_whole(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user)
        question = MessageDraft(uuid4(), MessageRole.user, "How long\n is leave?", rewritten_query="How long is leave?")
        answer = MessageDraft(
            uuid4(), MessageRole.assistant, "30 days [1].", (CITATION,), details={"found": [True, "a"]}
        )
        added = self.add(metadata, user, conversation.id, (question, answer))
        page = metadata.conversation_messages.list_messages(user, conversation.id, after=None, limit=2)
        assert (page.items, page.more) == (added, False)
        assert [one.message.role for one in added] == [MessageRole.user, MessageRole.assistant]
        assert added[1].message.citations == (CITATION,)
        assert added[1].details == {"found": [True, "a"]}
        assert metadata.conversation_messages.get_message(user, answer.id) == added[1]
        now = metadata.conversations.get_conversation(user, conversation.id)
        assert (now.title, now.message_count, now.updated_at) == ("How long is leave?", 2, NOW + HOUR)

    def test_a_given_title_stays(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user, "Leave")
        self.add(metadata, user, conversation.id, exchange("How long?"))
        self.add(metadata, user, conversation.id, [MessageDraft(uuid4(), MessageRole.system, "Be brief.")])
        assert metadata.conversations.get_conversation(user, conversation.id).title == "Leave"

    def test_what_cannot_be_stored_is_left_out(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user)
        draft = MessageDraft(uuid4(), MessageRole.user, "a\0b", details={"x\0": {"y": ["\0z", 1]}})
        self.add(metadata, user, conversation.id, [draft])
        found = metadata.conversation_messages.get_message(user, draft.id)
        assert (found.message.content, found.details) == ("ab", {"x": {"y": ["z", 1]}})

    def test_pages_go_both_ways(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user, "t", *"abcde")
        listing = metadata.conversation_messages.list_messages
        for newest_first, order in ((False, "abcde"), (True, "edcba")):
            first = listing(user, conversation.id, after=None, limit=2, newest_first=newest_first)
            last = first.items[-1].message.id
            second = listing(user, conversation.id, after=last, limit=3, newest_first=newest_first)
            assert "".join(one.message.content for one in (*first.items, *second.items)) == order
            assert (first.more, second.more) == (True, False)
        with pytest.raises(NotFound):
            listing(user, conversation.id, after=uuid4(), limit=2)

    def test_an_archived_or_full_one_takes_no_more(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user, "t", "a")
        with pytest.raises(QuotaExceeded, match="messages"):
            self.add(metadata, user, conversation.id, exchange("b", "c"), limit=2)
        metadata.conversations.update_conversation(user, conversation.id, ConversationChange(archived=True), now=NOW)
        with pytest.raises(Conflict, match="archived"):
            self.add(metadata, user, conversation.id, exchange("b"))
        assert self.contents(metadata, user, conversation.id) == ["a"]

    def test_an_id_is_used_once(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation, drafts = world.conversation(user), exchange("a", "b")
        self.add(metadata, user, conversation.id, drafts)
        with pytest.raises(Conflict):
            self.add(metadata, user, conversation.id, (*exchange("c"), drafts[1]))
        assert self.contents(metadata, user, conversation.id) == ["a", "b"]

    def test_a_deleted_message_leaves_the_others_in_order(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user, "t", "a", "b", "c")
        page = metadata.conversation_messages.list_messages(user, conversation.id, after=None, limit=9)
        metadata.conversation_messages.delete_message(user, conversation.id, page.items[1].message.id, now=NOW)
        self.add(metadata, user, conversation.id, exchange("d"))
        assert self.contents(metadata, user, conversation.id) == ["a", "c", "d"]
        assert metadata.conversations.get_conversation(user, conversation.id).message_count == 3
        with pytest.raises(NotFound):
            metadata.conversation_messages.delete_message(user, conversation.id, uuid4(), now=NOW)
        assert metadata.conversations.get_conversation(user, conversation.id).message_count == 3

    def test_concurrent_exchanges_stay_together(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user)
        threads = [
            Thread(target=self.add, args=(metadata, user, conversation.id, exchange(f"{n}?", f"{n}!")))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        found = self.contents(metadata, user, conversation.id)
        assert len(found) == 16
        assert [one[0] for one in found[::2]] == [one[0] for one in found[1::2]]

    def test_feedback_replaces_feedback(self, metadata: Metadata, world: World) -> None:
        user = world.user()
        conversation = world.conversation(user, "t", "a?", "b")
        page = metadata.conversation_messages.list_messages(user, conversation.id, after=None, limit=9)
        question, answer = (one.message.id for one in page.items)

        def rate(message: UUID, feedback: Feedback) -> Feedback | None:
            rated = metadata.conversation_messages.set_feedback(user, conversation.id, message, feedback, now=NOW)
            assert metadata.conversation_messages.get_message(user, message) == rated
            return rated.message.feedback

        down = Feedback(rating=Rating.down, comment="Wrong year.")
        assert rate(answer, down) == down
        assert rate(answer, Feedback(rating=Rating.up)) == Feedback(rating=Rating.up)
        assert rate(answer, Feedback(rating=None, comment="never mind")) is None
        for wrong in (question, uuid4()):
            with pytest.raises(NotFound):
                rate(wrong, down)
