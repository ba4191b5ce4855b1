"""Refuse to cancel an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from modulo.domain.errors import InvalidRequest
from modulo.usecases.get_response import get_response

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.conversation_messages import ConversationMessages


def cancel_response(principal: Principal, response_id: UUID, *, messages: ConversationMessages) -> NoReturn:
    """An answer that is known was given already: none is written in the background.

    Raises:
        NotFound: the caller has no such answer.
        InvalidRequest: in every other case.
    """
    get_response(principal, response_id, messages=messages)
    raise InvalidRequest(
        "Only a response in the background can be cancelled, and there are none: close the connection to stop one."
    )
