"""Re-embedding: another index of a collection is built beside the one that searches see, and takes its place.

An index is an embedding model with a chunking; a collection's are numbered from 1. One is current:
searches see it, whole. While another is open, every file that is found is in that one too, as a
generation made from the same object: first the one that is built, then, once it was switched to,
the one it replaced, until it cannot be rolled back any more.

    building ─switch→ switched ─rollback→ rolled_back
    building ─cancel→ cancelled; switched, after its time or by the caller ─end→ switched, and the old index goes
"""

from enum import StrEnum


class State(StrEnum):
    """How far a re-embedding has come, as it is stored; `ready` and `failed` follow from its files."""

    building = "building"
    switched = "switched"
    rolled_back = "rolled_back"
    cancelled = "cancelled"
