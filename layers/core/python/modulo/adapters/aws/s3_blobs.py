"""Stored objects in Amazon S3, or in anything that speaks its protocol."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote, urlsplit
from uuid import UUID

from botocore.exceptions import ClientError

from modulo.adapters.aws.clients import LazyClient, error_code, translated_errors
from modulo.adapters.aws.multipart_writer import MultipartWriter
from modulo.domain.errors import NotFound, Unavailable
from modulo.domain.files.file import key_prefix
from modulo.domain.files.stored_object import ObjectInfo, StoredTotals
from modulo.domain.files.upload import PresignedPost
from modulo.ports.object_address import object_address
from modulo.ports.trace import trace_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.files.file import FileRef
    from modulo.domain.files.part_upload import UploadPartRef
    from modulo.domain.files.user_file import UserFileRef

TRACE = "traceparent"
SPOOL_BYTES = 8 * 1024**2
BLOCK_BYTES = 1024**2
VERSION, ETAG = "version:", "etag:"
"""How a version begins that is a version id of S3, and one that is an ETag, in a bucket without versions."""
_MISSING = {"NoSuchKey", "NoSuchVersion", "NotFound", "404", "PreconditionFailed", "412"}


class S3Blobs:
    """The objects of one bucket, which may be versioned."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = LazyClient("s3")

    def presigned_post(
        self, ref: FileRef, *, media_type: str, size_bytes: int, checksum_sha256: str | None, expires_in: int
    ) -> PresignedPost:
        """A presigned form that accepts exactly this size, media type and checksum; computed without calling S3."""
        fields = {"Content-Type": media_type}
        if checksum_sha256:
            fields["x-amz-checksum-algorithm"] = "SHA256"
            fields["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(checksum_sha256)).decode()
        fields |= {f"x-amz-meta-{name}": value for name, value in _metadata().items()}
        conditions = [{name: value} for name, value in fields.items()]
        with translated_errors("s3"):
            form = self._s3().generate_presigned_post(
                self._bucket,
                ref.key,
                Fields=fields,
                Conditions=[*conditions, ["content-length-range", size_bytes, size_bytes]],
                ExpiresIn=expires_in,
            )
        return PresignedPost(url=self._for_clients(form["url"]), fields=form["fields"])

    def presigned_get(
        self, ref: FileRef | UserFileRef, *, version: str | None = None, name: str, media_type: str, expires_in: int
    ) -> str:
        """A presigned address that returns the object as an attachment; computed without calling a versioned bucket."""
        pin = _pin(version)
        if "IfMatch" in pin:  # an address cannot ask for that
            self._require_unchanged(ref, pin)
            pin = {}
        wanted = (
            self._at(ref)
            | pin
            | {
                "ResponseContentDisposition": content_disposition(name),
                "ResponseContentType": media_type,
            }
        )
        with translated_errors("s3"):
            signed = self._s3().generate_presigned_url("get_object", Params=wanted, ExpiresIn=expires_in)
        return self._for_clients(signed)

    def put(self, ref: FileRef | UserFileRef | UploadPartRef, content: bytes, *, media_type: str) -> None:
        """Store the object; S3 verifies its SHA-256."""
        with translated_errors("s3"):
            self._s3().put_object(
                **self._at(ref),
                Body=content,
                ContentType=media_type,
                ChecksumAlgorithm="SHA256",
                Metadata=_metadata(),
            )

    def copy(self, origin: UserFileRef, ref: FileRef, *, media_type: str) -> None:
        """Have S3 copy the object, which raises the event of a new one; at most 5 GB."""
        with translated_errors("s3"):
            try:
                self._s3().copy_object(
                    **self._at(ref),
                    CopySource=self._at(origin),
                    ContentType=media_type,
                    MetadataDirective="REPLACE",
                    Metadata=_metadata(),
                )
            except ClientError as error:
                if error_code(error) in _MISSING:
                    raise NotFound("The object does not exist.") from error
                raise

    def join(self, parts: Sequence[UploadPartRef], ref: UserFileRef, *, media_type: str) -> str:
        """Read the parts, and store them by S3's own multipart upload, whose parts have to be larger than theirs."""
        with translated_errors("s3"), MultipartWriter(self._s3(), self._at(ref), media_type) as writer:
            for part in parts:
                for block in self._body(part, {}).iter_chunks(BLOCK_BYTES):
                    writer.write(block)
            return writer.finish()

    def info(self, ref: FileRef) -> ObjectInfo | None:
        """Size and version of the object; the version is the version id in a versioned bucket, else the ETag."""
        with translated_errors("s3"):
            try:
                head = self._s3().head_object(**self._at(ref))
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
        version = head.get("VersionId", "null")
        pinned = ETAG + head["ETag"] if version == "null" else VERSION + version
        return ObjectInfo(head["ContentLength"], pinned, head.get("Metadata", {}).get(TRACE))

    def open(self, ref: FileRef | UserFileRef | UploadPartRef, version: str | None = None) -> BinaryIO:
        """The object as a seekable file, which is on disk if larger than 8 MB."""
        spool = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with translated_errors("s3"):
                copyfileobj(self._body(ref, _pin(version)), spool)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast("BinaryIO", spool)

    def delete(self, tenant_id: UUID, prefix: str) -> int:
        """Delete every object under the prefix with all versions; the number of keys deleted.

        Raises:
            ValueError: the prefix is outside the tenant's objects.
        """
        keys: set[str] = set()
        with translated_errors("s3"):
            for page in self._versions(tenant_id, prefix):
                versions = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in page]
                answer = self._s3().delete_objects(Bucket=self._bucket, Delete={"Objects": versions, "Quiet": True})
                if failed := answer.get("Errors"):
                    raise Unavailable(f"S3 could not delete {len(failed)} objects.", dependency="s3")
                keys.update(version["Key"] for version in versions)
        return len(keys)

    def count(self, tenant_id: UUID, prefix: str) -> StoredTotals:
        """The number and total size of the objects that `delete` would delete; S3 lists consistently.

        Raises:
            ValueError: the prefix is outside the tenant's objects.
        """
        with translated_errors("s3"):
            found = [item for page in self._versions(tenant_id, prefix) for item in page]
        return StoredTotals(len({item["Key"] for item in found}), sum(item.get("Size", 0) for item in found))

    def close(self) -> None:
        """Close the connections."""
        self._s3.close()

    def ping(self) -> None:
        """Check that the bucket exists."""
        with translated_errors("s3"):
            self._s3().head_bucket(Bucket=self._bucket)

    def _at(self, ref: FileRef | UserFileRef | UploadPartRef) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": ref.key}

    def _for_clients(self, address: str) -> str:
        """A presigned address by way of the server, where clients do not reach the store itself.

        What is signed stays: the server puts the store's own name and the bucket back.
        """
        through = object_address.get()
        if through is None:
            return address
        parts = urlsplit(address)
        return through + parts.path.removeprefix(f"/{self._bucket}") + (f"?{parts.query}" if parts.query else "")

    def _require_unchanged(self, ref: FileRef | UserFileRef, pin: dict[str, str]) -> None:
        with translated_errors("s3"):
            try:
                self._s3().head_object(**self._at(ref), **pin)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    raise NotFound("The object does not exist, or its bytes were replaced.") from error
                raise

    def _body(self, ref: FileRef | UserFileRef | UploadPartRef, pin: dict[str, str]) -> Any:
        try:
            return self._s3().get_object(**self._at(ref), **pin)["Body"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise NotFound("The object does not exist.") from error
            raise

    def _versions(self, tenant_id: UUID, prefix: str) -> Iterator[list[Any]]:
        """All versions under the prefix, in pages of up to 1,000; without versioning each object has version `null`."""
        if not prefix.startswith(key_prefix(tenant_id)):
            raise ValueError("the prefix is outside the tenant's objects")
        pages = self._s3().get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                yield found


def _metadata() -> dict[str, str]:
    """What is kept with an object: the trace that it is stored in, which its event does not tell."""
    trace = trace_header()
    return {TRACE: trace} if trace else {}


def _pin(version: str | None) -> dict[str, str]:
    """The parameters that hold a read to a version; none for versions written by earlier releases."""
    if version is None:
        return {}
    if version.startswith(VERSION):
        return {"VersionId": version.removeprefix(VERSION)}
    return {"IfMatch": version.removeprefix(ETAG)} if version.startswith(ETAG) else {}


def content_disposition(name: str) -> str:
    """The Content-Disposition of an attachment (RFC 6266): an ASCII name, then the exact one (RFC 5987).

    Control characters, path separators and lone surrogates are replaced, so that no name can inject a header or leave
    the download folder.
    """
    kept = "".join("_" if unicodedata.category(c) in {"Cc", "Cs"} or c in "/\\" else c for c in name)
    kept = kept.strip(" .") or "file"
    plain = unicodedata.normalize("NFKD", kept).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", plain).strip(" .") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"
