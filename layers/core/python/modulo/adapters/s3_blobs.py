"""Uploaded bytes in Amazon S3, or in anything that speaks its protocol."""

import base64
import re
import unicodedata
from collections.abc import Iterator
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import quote
from uuid import UUID

from botocore.exceptions import ClientError

from modulo.adapters.aws_clients import LazyClient, answering, error_code
from modulo.domain.errors import NotFound, Unavailable
from modulo.domain.file import FileRef
from modulo.domain.transfer import ObjectInfo, PresignedPost, Stored

SPOOL_BYTES = 8 * 1024**2
_MISSING = {"NoSuchKey", "NotFound", "404"}


class S3Blobs:
    """One bucket, versioned or not."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = LazyClient("s3")

    def presigned_post(
        self, ref: FileRef, *, media_type: str, size_bytes: int, checksum_sha256: str | None, expires_in: int
    ) -> PresignedPost:
        """A form by which exactly these bytes may be uploaded; made without asking S3."""
        fields = {"Content-Type": media_type}
        if checksum_sha256:
            fields["x-amz-checksum-algorithm"] = "SHA256"
            fields["x-amz-checksum-sha256"] = base64.b64encode(bytes.fromhex(checksum_sha256)).decode()
        conditions = [{name: value} for name, value in fields.items()]
        with answering("s3"):
            form = self._s3().generate_presigned_post(
                self._bucket,
                ref.key,
                Fields=fields,
                Conditions=[*conditions, ["content-length-range", size_bytes, size_bytes]],
                ExpiresIn=expires_in,
            )
        return PresignedPost(url=form["url"], fields=form["fields"])

    def presigned_get(self, ref: FileRef, *, name: str, media_type: str, expires_in: int) -> str:
        """An address that answers with the object as an attachment; made without asking S3."""
        wanted = self._at(ref) | {
            "ResponseContentDisposition": content_disposition(name),
            "ResponseContentType": media_type,
        }
        with answering("s3"):
            return str(self._s3().generate_presigned_url("get_object", Params=wanted, ExpiresIn=expires_in))

    def put(self, ref: FileRef, content: bytes, *, media_type: str) -> None:
        """Store the object; S3 checks the bytes against their SHA-256."""
        with answering("s3"):
            self._s3().put_object(**self._at(ref), Body=content, ContentType=media_type, ChecksumAlgorithm="SHA256")

    def info(self, ref: FileRef) -> ObjectInfo | None:
        """Size and version of the object: the version's id where the bucket has versions, else the ETag."""
        with answering("s3"):
            try:
                head = self._s3().head_object(**self._at(ref))
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
        version = head.get("VersionId", "null")
        return ObjectInfo(head["ContentLength"], head["ETag"].strip('"') if version == "null" else version)

    def open(self, ref: FileRef) -> BinaryIO:
        """The object's bytes as a seekable file, on disk beyond 8 MB."""
        spool = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # the caller closes it
        try:
            with answering("s3"):
                copyfileobj(self._body(ref), spool)
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        return cast("BinaryIO", spool)

    def delete(self, tenant_id: UUID, prefix: str) -> int:
        """Delete every object under the prefix with all its versions; the number of keys deleted.

        Raises:
            ValueError: the prefix lies outside the tenant's own.
        """
        keys: set[str] = set()
        with answering("s3"):
            for page in self._versions(tenant_id, prefix):
                versions = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in page]
                answer = self._s3().delete_objects(Bucket=self._bucket, Delete={"Objects": versions, "Quiet": True})
                if failed := answer.get("Errors"):
                    raise Unavailable(f"S3 could not delete {len(failed)} objects.", dependency="s3")
                keys.update(version["Key"] for version in versions)
        return len(keys)

    def count(self, tenant_id: UUID, prefix: str) -> Stored:
        """What there is of those that `delete` would delete; S3 lists what is there at that moment.

        Raises:
            ValueError: the prefix lies outside the tenant's own.
        """
        with answering("s3"):
            found = [item for page in self._versions(tenant_id, prefix) for item in page]
        return Stored(len({item["Key"] for item in found}), sum(item.get("Size", 0) for item in found))

    def close(self) -> None:
        """Close the connections."""
        self._s3.close()

    def ping(self) -> None:
        """Ask whether the bucket is there."""
        with answering("s3"):
            self._s3().head_bucket(Bucket=self._bucket)

    def _at(self, ref: FileRef) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": ref.key}

    def _body(self, ref: FileRef) -> Any:
        try:
            return self._s3().get_object(**self._at(ref))["Body"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise NotFound("The object is not there.") from error
            raise

    def _versions(self, tenant_id: UUID, prefix: str) -> Iterator[list[Any]]:
        """At most a thousand at a time; a bucket without versions lists each object with the version `null`."""
        if not prefix.startswith(f"tenants/{tenant_id}/"):
            raise ValueError("the prefix lies outside the tenant's objects")
        pages = self._s3().get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
        for page in pages:
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                yield found


def content_disposition(name: str) -> str:
    """An attachment of that name (RFC 6266): an ASCII form for old clients, then the exact one (RFC 5987).

    Control characters, path separators and lone surrogates are replaced, so that no name can add a
    header or leave the download folder.
    """
    kept = "".join("_" if unicodedata.category(c) in {"Cc", "Cs"} or c in "/\\" else c for c in name)
    kept = kept.strip(" .") or "file"
    plain = unicodedata.normalize("NFKD", kept).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", plain).strip(" .") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"
