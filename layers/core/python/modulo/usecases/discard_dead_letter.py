"""Throw a dead letter away."""

from uuid import UUID

from modulo.domain.identity import Principal
from modulo.ports import Metadata
from modulo.usecases.retry_dead_letter import letter_of


def discard_dead_letter(principal: Principal, collection_id: UUID, letter_id: UUID, *, metadata: Metadata) -> None:
    """Forget a letter; what it is about stays as it is.

    Raises:
        Forbidden: this needs an editor.
        NotFound: no such letter is visible to the caller.
    """
    letter = letter_of(principal, collection_id, letter_id, metadata=metadata)
    metadata.discard_letters(principal.tenant_id, [letter.id])
