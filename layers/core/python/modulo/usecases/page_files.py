"""List a window of a collection's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from modulo.domain.files.file import File, Stage
    from modulo.domain.pagination import Page, Window
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.metadata.files import Files


def page_files(
    principal: Principal, collection_id: UUID, window: Window, *, stages: Collection[Stage] | None, files: Files
) -> Page[File]:
    """Those of the window; `stages` keeps those in one of them."""
    return files.page_files(principal, collection_id, window, stages=stages)
