"""Uploaded bytes in this process's memory, gone when it ends.

The addresses it signs begin with `memory:` and mean something to `post` and `fetch` only: for tests
and for trying things out in one process.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import BinaryIO
from uuid import UUID, uuid4

from modulo.domain.errors import AlteredFile, Forbidden, NotFound
from modulo.domain.files.file import FileRef
from modulo.domain.files.part_upload import UploadPartRef
from modulo.domain.files.stored_object import ObjectInfo, StoredTotals
from modulo.domain.files.upload import PresignedPost
from modulo.domain.files.user_file import UserFileRef
from modulo.ports.trace import trace_header


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    media_type: str
    trace: str | None = None

    @property
    def version(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class _Upload:
    key: str
    media_type: str
    size_bytes: int
    checksum_sha256: str | None
    ends: float
    trace: str | None


@dataclass(frozen=True, slots=True)
class _Download:
    key: str
    ends: float


class MemoryBlobs:
    """A bucket that keeps the latest version only, and knows others by their absence."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._objects: dict[str, _Object] = {}
        self._uploads: dict[str, _Upload] = {}
        self._downloads: dict[str, _Download] = {}

    def presigned_post(
        self, ref: FileRef, *, media_type: str, size_bytes: int, checksum_sha256: str | None, expires_in: int
    ) -> PresignedPost:
        """A form that `post` takes."""
        policy = uuid4().hex
        ends = time.monotonic() + expires_in
        with self._lock:
            self._uploads[policy] = _Upload(ref.key, media_type, size_bytes, checksum_sha256, ends, trace_header())
        return PresignedPost(url="memory:upload", fields={"key": ref.key, "Content-Type": media_type, "policy": policy})

    def post(self, form: PresignedPost, content: bytes) -> None:
        """Do what a client does with the form.

        Raises:
            Forbidden: the form is over, altered or none of ours.
            AlteredFile: the bytes are not the announced ones.
        """
        with self._lock:
            upload = self._uploads.get(form.fields.get("policy", ""))
            if upload is None or upload.ends < time.monotonic():
                raise Forbidden("The form is none of this store's, or its time is over.")
            if (form.fields.get("key"), form.fields.get("Content-Type")) != (upload.key, upload.media_type):
                raise Forbidden("The form was altered.")
            if len(content) != upload.size_bytes:
                raise AlteredFile
            if upload.checksum_sha256 and hashlib.sha256(content).hexdigest() != upload.checksum_sha256.lower():
                raise AlteredFile
            self._objects[upload.key] = _Object(content, upload.media_type, upload.trace)

    def presigned_get(
        self, ref: FileRef | UserFileRef, *, version: str | None = None, name: str, media_type: str, expires_in: int
    ) -> str:  # no headers here
        """An address that `fetch` takes.

        Raises:
            NotFound: the object has another version by now.
        """
        if version is not None:
            self.open(ref, version)
        token = uuid4().hex
        with self._lock:
            self._downloads[token] = _Download(ref.key, time.monotonic() + expires_in)
        return f"memory:download/{token}"

    def fetch(self, url: str) -> bytes:
        """Do what a client does with the address.

        Raises:
            Forbidden: the address is over or none of ours.
            NotFound: there is no such object.
        """
        with self._lock:
            download = self._downloads.get(url.removeprefix("memory:download/"))
            if download is None or download.ends < time.monotonic():
                raise Forbidden("The address is none of this store's, or its time is over.")
            found = self._objects.get(download.key)
        if found is None:
            raise NotFound("The object is not there.")
        return found.content

    def put(self, ref: FileRef | UserFileRef | UploadPartRef, content: bytes, *, media_type: str) -> None:
        """Store the object, replacing what the key held."""
        with self._lock:
            self._objects[ref.key] = _Object(bytes(content), media_type, trace_header())

    def copy(self, origin: UserFileRef, ref: FileRef, *, media_type: str) -> None:
        """Store what `origin` holds under `ref` too.

        Raises:
            NotFound: there is no such object.
        """
        with self.open(origin) as content:
            self.put(ref, content.read(), media_type=media_type)

    def join(self, parts: Sequence[UploadPartRef], ref: UserFileRef, *, media_type: str) -> str:
        """Store what the parts hold, one behind the other.

        Raises:
            NotFound: a part does not exist.
        """
        content = b"".join(self.open(part).read() for part in parts)
        self.put(ref, content, media_type=media_type)
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def info(self, ref: FileRef) -> ObjectInfo | None:
        """Size and version of the object, or None where there is none."""
        found = self._objects.get(ref.key)
        return ObjectInfo(len(found.content), found.version, found.trace) if found else None

    def open(self, ref: FileRef | UserFileRef | UploadPartRef, version: str | None = None) -> BinaryIO:
        """The object's bytes as a seekable file.

        Raises:
            NotFound: there is no such object, or not in that version.
        """
        found = self._objects.get(ref.key)
        if found is None or version not in (None, found.version):
            raise NotFound("The object is not there.")
        return BytesIO(found.content)

    def delete(self, tenant_id: UUID, prefix: str) -> int:
        """Delete every object under the prefix; the number deleted.

        Raises:
            ValueError: the prefix lies outside the tenant's own.
        """
        with self._lock:
            keys = self._keys(tenant_id, prefix)
            for key in keys:
                del self._objects[key]
        return len(keys)

    def count(self, tenant_id: UUID, prefix: str) -> StoredTotals:
        """What there is of those that `delete` would delete.

        Raises:
            ValueError: the prefix lies outside the tenant's own.
        """
        with self._lock:
            keys = self._keys(tenant_id, prefix)
            return StoredTotals(len(keys), sum(len(self._objects[key].content) for key in keys))

    def _keys(self, tenant_id: UUID, prefix: str) -> list[str]:
        if not prefix.startswith(f"tenants/{tenant_id}/"):
            raise ValueError("the prefix lies outside the tenant's objects")
        return [key for key in self._objects if key.startswith(prefix)]

    def ping(self) -> None:
        """Memory always answers."""
