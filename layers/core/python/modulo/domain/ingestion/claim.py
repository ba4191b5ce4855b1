"""Claims of generations and of their parts, and the results of parts."""

from dataclasses import dataclass
from uuid import UUID

from modulo.domain.collections.collection import Chunking, Space
from modulo.domain.documents.document import Part
from modulo.domain.files.file import DocumentInfo, FileRef


@dataclass(frozen=True, slots=True)
class Claim:
    """A generation claimed for ingestion; the `token` fences off earlier claims."""

    ref: FileRef
    token: UUID
    attempt: int
    space: Space
    chunking: Chunking
    name: str
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    object_version: str | None = None
    """The version of the object that its first claim found, and that all later ones read."""
    may_upload: bool = True
    """Whether the user whose form brought the bytes was still an editor when they were claimed first."""
    divided: bool = False
    part: Part | None = None
    """The claimed part of a divided generation; None where the whole is claimed."""


@dataclass(frozen=True, slots=True)
class PartResult:
    """What ingesting a part gave: its chunks, their `ContentHash`, and the document information of its pages."""

    chunk_count: int
    content_hash: str
    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class PartCompletion:
    """A part is ingested: how many are `left`; after the last one, the claim of the `whole`."""

    left: int
    whole: Claim | None


@dataclass(frozen=True, slots=True)
class PartState:
    """A part of a divided generation; `result` is None until it is ingested."""

    part: Part
    result: PartResult | None
