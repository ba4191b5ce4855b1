"""List a window of a conversation's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.errors import NotFound
from modulo.domain.pagination import Page

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversations.conversation import StoredMessage
    from modulo.domain.pagination import Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def page_messages(
    principal: Principal, conversation_id: UUID, window: Window, *, messages: ConversationMessages
) -> Page[StoredMessage]:
    """Those of the window, with what their doors stored beside them.

    Raises:
        NotFound: the caller has no such conversation.
        InvalidRequest: the window begins at none of its messages.
    """
    try:
        page = messages.list_messages(
            principal, conversation_id, after=window.after, limit=window.limit, newest_first=not window.ascending
        )
    except NotFound:
        messages.list_messages(principal, conversation_id, after=None, limit=1)  # the conversation is there
        raise window.refusal() from None
    return Page(page.items, page.more)
