"""List a window of a conversation's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.pagination import Page

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.conversation import StoredMessage
    from modulo.domain.identity import Principal
    from modulo.domain.pagination import Window
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def page_messages(
    principal: Principal, conversation_id: UUID, window: Window, *, messages: ConversationMessages
) -> Page[StoredMessage]:
    """Those of the window, with what their doors stored beside them.

    Raises:
        NotFound: the caller has no such conversation, or it has no message of that id.
    """
    page = messages.list_messages(
        principal, conversation_id, after=window.after, limit=window.limit, newest_first=not window.ascending
    )
    return Page(page.items, page.more)
