"""List a window of the caller's collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Collection
    from modulo.domain.pagination import Page, Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.collections import Collections


def page_collections(principal: Principal, window: Window, *, collections: Collections) -> Page[Collection]:
    """Those of the window that the caller is a member of."""
    return collections.page_collections(principal, window)
