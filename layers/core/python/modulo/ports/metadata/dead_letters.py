"""Dead letters: messages whose every delivery failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from modulo.domain.operations.dead_letter import DeadLetter, DeadLetterDraft, DeadLetterQuery, OperatorDeadLetter
    from modulo.domain.pagination import Listing
    from modulo.domain.tenancy.identity import Principal


class DeadLetters(Protocol):
    """Record messages whose every delivery failed, list them for editors and operators, and mark or delete them."""

    def record_dead_letter(self, draft: DeadLetterDraft, *, now: datetime) -> bool:
        """Record a message whose every delivery failed, in place of earlier ones with the same subject.

        One about a file that failed takes over the file's problem; one about what does not exist
        belongs to no tenant. False where it is recorded already, or its subject is purged.
        """
        ...

    def list_dead_letters(
        self, principal: Principal, collection_id: UUID, query: DeadLetterQuery
    ) -> Listing[DeadLetter]:
        """The collection's dead letters, newest first; needs an editor."""
        ...

    def list_all_dead_letters(self, query: DeadLetterQuery) -> Listing[OperatorDeadLetter]:
        """Those of all tenants and those without a tenant, newest first: for operators."""
        ...

    def mark_retried(self, tenant_id: UUID | None, letter_ids: Sequence[UUID], *, now: datetime) -> int:
        """Record that dead letters of the tenant, or without a tenant, were sent again; how many there were."""
        ...

    def discard_dead_letters(self, tenant_id: UUID | None, letter_ids: Sequence[UUID]) -> int:
        """Delete dead letters of the tenant, or without a tenant; how many there were."""
        ...
