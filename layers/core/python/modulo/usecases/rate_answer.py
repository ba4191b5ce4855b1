"""Say what one thinks of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import Feedback, Message
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversation_messages import ConversationMessages
    from modulo.ports.metrics import Metrics


def rate_answer(
    principal: Principal,
    conversation_id: UUID,
    message_id: UUID,
    feedback: Feedback,
    *,
    messages: ConversationMessages,
    metrics: Metrics,
    clock: Clock,
) -> Message:
    """Record it in place of what was said before; without a rating, take that back.

    Raises:
        NotFound: the caller has no such conversation, or it has no such answer.
        InvalidRequest: there is a comment without a rating.
    """
    if feedback.rating is None and feedback.comment is not None:
        raise InvalidRequest.field("comment", "needs a rating beside it: without one, what was said is taken back")
    stored = messages.set_feedback(principal, conversation_id, message_id, feedback, now=clock.now())
    if feedback.rating is not None:
        metrics.count("rag_feedback_total", rating=feedback.rating.value)
    return stored.message
