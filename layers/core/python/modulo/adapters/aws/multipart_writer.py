"""Writing an object to S3 whose size is not known, or that memory does not hold."""

from __future__ import annotations

import contextlib
import hashlib
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

PART_BYTES = 8 * 1024**2
"""At least 5 MB, which is the least that S3 takes of every part but the last."""


class MultipartWriter:
    """Writes one object, which is there once it is finished, and otherwise never.

    S3 deletes the parts of one whose process died, by the bucket's lifecycle rule.
    """

    def __init__(self, s3: Any, at: dict[str, str], media_type: str) -> None:
        self._s3 = s3
        self._at: dict[str, Any] = dict(at)
        self._media_type = media_type
        self._buffer = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._upload_id: str | None = None
        self._etags: list[str] = []

    def write(self, block: bytes) -> None:
        """Append the block."""
        self._md5.update(block)
        self._buffer += block
        while len(self._buffer) >= PART_BYTES:
            self._send(self._buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]

    def finish(self) -> str:
        """Store the object; its MD5 checksum in hexadecimal."""
        if self._upload_id is None:
            self._s3.put_object(**self._at, Body=bytes(self._buffer), ContentType=self._media_type)
            return self._md5.hexdigest()
        if self._buffer:
            self._send(self._buffer)
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(self._etags, start=1)]
        self._s3.complete_multipart_upload(
            **self._at,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": parts},
        )
        self._upload_id = None
        return self._md5.hexdigest()

    def _send(self, content: bytearray) -> None:
        if self._upload_id is None:
            self._upload_id = self._s3.create_multipart_upload(**self._at, ContentType=self._media_type)["UploadId"]
        number = len(self._etags) + 1
        sent = self._s3.upload_part(**self._at, UploadId=self._upload_id, PartNumber=number, Body=bytes(content))
        self._etags.append(sent["ETag"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._upload_id is not None:
            with contextlib.suppress(BotoCoreError, ClientError):  # what went wrong first is what is told
                self._s3.abort_multipart_upload(**self._at, UploadId=self._upload_id)
