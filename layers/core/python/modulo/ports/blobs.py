"""Uploaded bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.files.file import FileRef
    from modulo.domain.files.part_upload import UploadPartRef
    from modulo.domain.files.stored_object import ObjectInfo, StoredTotals
    from modulo.domain.files.upload import PresignedPost
    from modulo.domain.files.user_file import UserFileRef


class Blobs(Protocol):
    """Objects: the uploaded bytes."""

    def presigned_post(
        self, ref: FileRef, *, media_type: str, size_bytes: int, checksum_sha256: str | None, expires_in: int
    ) -> PresignedPost:
        """A presigned form for uploading exactly these bytes; the checksum is hexadecimal."""
        ...

    def presigned_get(
        self, ref: FileRef | UserFileRef, *, version: str | None = None, name: str, media_type: str, expires_in: int
    ) -> str:
        """A presigned URL for downloading the object under the given name, valid for `expires_in` seconds.

        With a version, the URL is for that one.

        Raises:
            NotFound: the store keeps no versions, and the object is another one by now.
        """
        ...

    def put(self, ref: FileRef | UserFileRef | UploadPartRef, content: bytes, *, media_type: str) -> None:
        """Store the object, replacing what the key held."""
        ...

    def copy(self, origin: UserFileRef, ref: FileRef, *, media_type: str) -> None:
        """Store what `origin` holds under `ref` too, without reading it here.

        Raises:
            NotFound: there is no such object.
        """
        ...

    def join(self, parts: Sequence[UploadPartRef], ref: UserFileRef, *, media_type: str) -> str:
        """Store what the parts hold, one behind the other, as one object; its MD5 checksum in hexadecimal.

        Nothing is stored unless all is.

        Raises:
            NotFound: a part does not exist.
        """
        ...

    def info(self, ref: FileRef) -> ObjectInfo | None:
        """Size and version of the object, or None where there is none."""
        ...

    def open(self, ref: FileRef | UserFileRef | UploadPartRef, version: str | None = None) -> BinaryIO:
        """The object's bytes as a seekable file, spooled to disk when large; with a version, those of that one.

        Raises:
            NotFound: there is no such object, or not in that version any more.
        """
        ...

    def delete(self, tenant_id: UUID, prefix: str) -> int:
        """Delete every object of the tenant whose key begins with `prefix`; the number deleted."""
        ...

    def count(self, tenant_id: UUID, prefix: str) -> StoredTotals:
        """Number and size of the objects that `delete` would delete."""
        ...

    def ping(self) -> None:
        """Check that the store answers."""
        ...
