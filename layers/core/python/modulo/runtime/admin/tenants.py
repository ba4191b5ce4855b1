"""Tenants: list and delete them, and show receipts of deletions."""

from uuid import UUID

from modulo.domain.errors import NotFound
from modulo.domain.operations.deletion import Deletion, deletion_id
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.tenancy.identity import Tenant
from modulo.services import services
from modulo.usecases.purge import request_purge

PAGE = 500


def list_tenants(after: UUID | None = None, name: str | None = None) -> list[Tenant]:
    """Tenants by id, those behind `after` or of that name: a page of `PAGE`, which is shorter only at the end."""
    return services().tenants.list_tenants(after=after, limit=PAGE, name=name)


def delete_tenant(tenant_id: UUID) -> UUID:
    """Revoke a tenant's access at once and queue the deletion of its data; the id of the receipt."""
    s = services()
    s.tenants.tombstone_tenant(tenant_id, now=s.clock.now())
    request_purge(PurgeRequest(tenant_id), purges=s.purges)
    return deletion_id(tenant_id)


def show_deletion(tenant_id: UUID, receipt_id: UUID | None = None) -> Deletion:
    """The receipt of a deletion in a tenant; by default, that of the tenant's own deletion.

    Raises:
        NotFound: the receipt does not exist.
    """
    found = services().deletions.find_deletion(tenant_id, receipt_id or deletion_id(tenant_id))
    if found is None:
        raise NotFound("There is no such receipt.")
    return found
