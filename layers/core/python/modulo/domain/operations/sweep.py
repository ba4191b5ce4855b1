"""The findings of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from modulo.domain.files.file import FileRef
from modulo.domain.operations.purge import PurgeRequest


@dataclass(frozen=True, slots=True)
class SweepFindings:
    """What a sweep failed, and what is to be requeued and purged."""

    failed: tuple[FileRef, ...]
    requeue: tuple[FileRef, ...]
    """To be ingested, if their bytes are there."""
    purge: tuple[PurgeRequest, ...]
    since: Mapping[str, datetime]
    """By kind of finding: the earliest deadline, end of a lease, or time of a purge."""
    more: bool
    """Whether a kind reached the limit, so that more may be left."""
    forgotten: int = 0
    """How many dead letters were deleted, at the end of their retention."""
    refetch: frozenset[FileRef] = frozenset()
    """Those of `requeue` whose bytes are still to be fetched from their URL."""
    due: datetime | None = None
    """When the next known work is due; in the past where some is due already."""
