"""Properties of stored objects."""

from dataclasses import dataclass

from modulo.domain.files.file import File


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Size and version of an object; `version` changes whenever the bytes do, and is what `Blobs` takes to pin them."""

    size_bytes: int
    version: str
    trace: str | None = None
    """The `traceparent` of who stored it."""


@dataclass(frozen=True, slots=True)
class StoredTotals:
    """Number of objects, and the bytes of all their versions."""

    objects: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with the version of the object that its live generation was ingested from; None before that."""

    file: File
    version: str | None
