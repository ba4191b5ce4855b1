"""Web servers of others."""

from typing import Protocol

from modulo.domain.files.web import NO_VALIDATORS, FetchedContent, Validators


class Web(Protocol):
    """Web servers of others."""

    def fetch(self, url: str, *, max_bytes: int, known: Validators = NO_VALIDATORS) -> FetchedContent | None:
        """The content of a URL, at most `max_bytes`; None where it still matches the `known` validators.

        Raises:
            RefusedUrl: the URL, or one that it redirects to, may not be fetched.
            DeniedUrl: there is no such server, or it refuses the request.
            UnreachableUrl: its server does not answer at present.
            UnsupportedFile, OversizedFile: the content cannot be read.
        """
        ...
