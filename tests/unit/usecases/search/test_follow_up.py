"""Turns of a conversation, from its messages."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from modulo.domain.answers.follow_up import Turn
from modulo.domain.conversations.conversation import Message, MessageRole
from modulo.usecases.search.follow_up import turns_of

NOW = datetime(2026, 3, 14, tzinfo=UTC)


def message(role: str, content: str, rewritten: str | None = None) -> Message:
    return Message(
        id=uuid4(),
        conversation_id=UUID(int=1),
        role=MessageRole(role),
        content=content,
        rewritten_query=rewritten,
        created_at=NOW,
    )


def test_a_turn_is_a_question_as_it_was_understood_with_its_answer() -> None:
    found = turns_of(
        [
            message("assistant", "Hello."),
            message("system", "Be brief."),
            message("user", "lost"),
            message("user", "And it?", "And the mast?"),
            message("assistant", "89 EUR."),
            message("user", "unanswered"),
        ],
        1_000,
    )
    assert found == (Turn("And the mast?", "89 EUR."),)
