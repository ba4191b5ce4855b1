"""Who watches on connections of API Gateway, of the in-memory metadata."""

from datetime import datetime
from uuid import UUID

from typing_extensions import override

from modulo.adapters.memory_metadata import watchers
from modulo.adapters.memory_metadata.tenancy import MemoryTenancy
from modulo.domain.identity import Principal
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft


class MemoryWatching(MemoryTenancy):
    """Each method is one transaction."""

    @override
    def add_watcher(
        self, principal: Principal, collection_id: UUID, draft: WatcherDraft, *, limit: int, now: datetime
    ) -> bool:
        return self._locked(lambda s: watchers.add_watcher(s, principal, collection_id, draft, limit=limit, now=now))

    @override
    def hold_watchers(
        self, tenant_id: UUID, collection_id: UUID, *, since: datetime | None, lease_until: datetime, now: datetime
    ) -> list[Watcher]:
        return self._locked(
            lambda s: watchers.hold_watchers(s, tenant_id, collection_id, since=since, lease_until=lease_until, now=now)
        )

    @override
    def let_go(self, watcher: Watcher, watch: Watch, *, told_at: datetime) -> bool:
        return self._locked(lambda s: watchers.let_go(s, watcher, watch, told_at=told_at))

    @override
    def forget_watcher(self, connection_id: str) -> None:
        self._locked(lambda s: s.watchers.pop(connection_id, None))

    @override
    def watched(self, *, now: datetime, limit: int) -> list[PushRequest]:
        return self._locked(lambda s: watchers.watched(s, now=now, limit=limit))
