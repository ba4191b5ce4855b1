"""Discard a dead letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.usecases.retry_dead_letter import find_dead_letter

if TYPE_CHECKING:
    from uuid import UUID

    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.dead_letters import DeadLetters


def discard_dead_letter(
    principal: Principal, collection_id: UUID, letter_id: UUID, *, dead_letters: DeadLetters
) -> None:
    """Delete a dead letter; the file or collection that it is about stays as it is.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such dead letter is visible to the caller.
    """
    dead_letter = find_dead_letter(principal, collection_id, letter_id, dead_letters=dead_letters)
    dead_letters.discard_dead_letters(principal.tenant_id, [dead_letter.id])
