"""A web in this process's memory: pages that tests put there."""

from collections.abc import Mapping

from modulo.domain.errors import ModuloError, OversizedFile, UnreachableUrl
from modulo.domain.web import Fetched, checked_url


class MemoryWeb:
    """Answers with what is held under an address, an error among it."""

    def __init__(self, pages: Mapping[str, Fetched | ModuloError]) -> None:
        self.pages = dict(pages)

    def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """See `ports.Web`."""
        found = self.pages.get(checked_url(url), UnreachableUrl())
        if isinstance(found, ModuloError):
            raise found
        if len(found.content) > max_bytes:
            raise OversizedFile
        return found
