"""A web in this process's memory: pages that tests put there."""

from collections.abc import Mapping

from modulo.domain.errors import ModuloError, OversizedFile, UnreachableUrl
from modulo.domain.files.web import NO_VALIDATORS, FetchedContent, Validators, require_public_url


class MemoryWeb:
    """Answers with what is held under an address, an error among it."""

    def __init__(self, pages: Mapping[str, FetchedContent | ModuloError]) -> None:
        self.pages = dict(pages)

    def fetch(self, url: str, *, max_bytes: int, known: Validators = NO_VALIDATORS) -> FetchedContent | None:
        """See `ports.Web`."""
        found = self.pages.get(require_public_url(url), UnreachableUrl())
        if isinstance(found, ModuloError):
            raise found
        if known != NO_VALIDATORS and known == found.validators:
            return None
        if len(found.content) > max_bytes:
            raise OversizedFile
        return found
