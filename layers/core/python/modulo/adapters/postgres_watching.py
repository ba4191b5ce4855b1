"""Who watches on connections of API Gateway, of the metadata on Postgres."""

from datetime import datetime
from uuid import UUID

from typing_extensions import override

from modulo.adapters import postgres_watchers as watchers
from modulo.adapters.postgres_tenancy import PostgresTenancy
from modulo.domain.identity import Principal
from modulo.domain.watching import PushRequest, Watch, Watcher, WatcherDraft


class PostgresWatching(PostgresTenancy):
    """Each method is one transaction, or one statement."""

    @override
    def add_watcher(
        self, principal: Principal, collection_id: UUID, draft: WatcherDraft, *, limit: int, now: datetime
    ) -> bool:
        return self._write(lambda c: watchers.add_watcher(c, principal, collection_id, draft, limit=limit, now=now))

    @override
    def hold_watchers(
        self, tenant_id: UUID, collection_id: UUID, *, since: datetime | None, lease_until: datetime, now: datetime
    ) -> list[Watcher]:
        return self._at_once(
            lambda c: watchers.hold_watchers(c, tenant_id, collection_id, since=since, lease_until=lease_until, now=now)
        )

    @override
    def let_go(self, watcher: Watcher, watch: Watch, *, told_at: datetime) -> bool:
        return self._at_once(lambda c: watchers.let_go(c, watcher, watch, told_at=told_at))

    @override
    def forget_watcher(self, connection_id: str) -> None:
        self._at_once(lambda c: watchers.forget_watcher(c, connection_id))

    @override
    def watched(self, *, now: datetime, limit: int) -> list[PushRequest]:
        return self._write(lambda c: watchers.watched(c, now=now, limit=limit))
