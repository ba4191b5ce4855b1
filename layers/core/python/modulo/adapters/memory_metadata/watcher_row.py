"""The row that the in-memory metadata keeps of who watches on a connection of API Gateway."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from modulo.domain.watching import Watch, WatcherDraft


@dataclass
class WatcherRow:
    """Who watches on a connection, how far they have been told, and who is telling them."""

    tenant_id: UUID
    collection_id: UUID
    user_id: UUID
    draft: WatcherDraft
    watch: Watch
    told_at: datetime
    lease: UUID | None = None
    lease_until: datetime | None = None
    again: bool = False
