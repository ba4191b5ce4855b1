"""`modulo tenants`: whole tenants deleted, and their receipts, for operators."""

from collections.abc import Iterator
from uuid import UUID

from modulo.domain.deletion import Deletion, deletion_id
from modulo.domain.errors import NotFound
from modulo.domain.identity import Tenant
from modulo.domain.transfer import PurgeRequest
from modulo.services import services
from modulo.usecases.purge import request_purge

PAGE = 500


def list_tenants() -> Iterator[Tenant]:
    """Every tenant, by id."""
    after: UUID | None = None
    while page := services().metadata.list_tenants(after=after, limit=PAGE):
        yield from page
        after = page[-1].id


def delete_tenant(tenant_id: UUID) -> UUID:
    """End a tenant at once and have all of it removed; the id of the receipt."""
    s = services()
    s.metadata.tombstone_tenant(tenant_id, now=s.clock.now())
    request_purge(PurgeRequest(tenant_id), purges=s.purges)
    return deletion_id(tenant_id)


def show_deletion(tenant_id: UUID, receipt_id: UUID | None = None) -> Deletion:
    """A receipt of a tenant: the one of its own deletion, where no other is named.

    Raises:
        NotFound: there is no such receipt.
    """
    found = services().metadata.find_deletion(tenant_id, receipt_id or deletion_id(tenant_id))
    if found is None:
        raise NotFound("There is no such receipt.")
    return found
