"""Files whose bytes are fetched from an address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modulo.domain.files.file import FileProblem, FileRef
    from modulo.domain.files.web import ContentInfo, FetchTask, KnownContent, Validators


class Fetching(Protocol):
    """Record what became of fetching a generation's bytes from its address.

    Every method names the generation and changes nothing where it does not wait for its bytes any more.
    """

    def begin_fetch(self, ref: FileRef, *, now: datetime) -> FetchTask | None:
        """Count an attempt to fetch the bytes of a generation; None where it does not wait for them (any more)."""
        ...

    def arrive(self, ref: FileRef, arrival: ContentInfo, *, before: str | None, now: datetime) -> bool:
        """Record the bytes that were fetched and will be stored now, and charge the owner.

        False where the generation does not wait for them, or others than those with the checksum `before` arrived
        since the fetch began.

        Raises:
            QuotaExceeded: they do not fit; nothing changed.
        """
        ...

    def unchanged(
        self, ref: FileRef, known: KnownContent, validators: Validators | None, *, before: str | None, now: datetime
    ) -> bool:
        """End a generation whose address still has the known bytes: the file becomes what it was before.

        The validators are those the response had, if any. False as for `arrive`, and where the known bytes are not
        those of the file's live generation any more.
        """
        ...

    def postpone_fetch(self, ref: FileRef, problem: FileProblem, *, until: datetime, now: datetime) -> bool:
        """Record why a try failed and when the next one begins; False where the generation does not wait."""
        ...

    def restart_fetch(self, ref: FileRef, *, deadline: datetime, now: datetime) -> bool:
        """Have a generation wait for its bytes again that failed before they came, with all its attempts.

        False where it did not fail, a retry cannot help, or a worker had its bytes.
        """
        ...

    def refuse(self, ref: FileRef, problem: FileProblem, *, now: datetime) -> bool:
        """End as failed a generation whose bytes cannot be fetched; False where it does not wait for them."""
        ...
