"""Makes MiniStack refuse objects that its disk cannot hold.

By itself it acknowledges such an object, keeps it in memory and forgets it at the next restart. Here a write is refused
before it changes anything unless its bytes can be allocated on disk. What is acknowledged is checked on disk. A request
for the bucket, which is a health check, is refused too while the disk is full.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

WRITES: Final = {"PUT", "POST"}
OVERHEAD_BYTES: Final = 64 * 1024
"""For an object's metadata and directories."""
HEALTHY_BYTES: Final = 1024 * 1024
"""With less free space, health checks fail."""


class NotStored(Exception):
    """An object's bytes did not reach the disk."""


def require_space(folder: Path, size: int) -> None:
    """Check that a file of this size can be stored now.

    Raises:
        OSError: it cannot: the disk is full or read-only, or a limit is reached.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(file.fileno(), 0, size)


def refuse_when_full(s3: Any) -> None:
    """Patch MiniStack's S3 module."""
    s3.handle_request = _checked(s3, s3.handle_request)
    s3._persist_object = _verified(s3, s3._persist_object)


def _checked(s3: Any, handle: Callable[..., Any]) -> Callable[..., Any]:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, *args: Any, **options: Any) -> Any:
        bucket, key = s3._parse_bucket_key(path, headers)
        try:
            if bucket and key and method in WRITES:
                require_space(Path(s3.DATA_DIR), len(body) + OVERHEAD_BYTES)
            elif (
                bucket and not key and method == "POST"
            ):  # a form names its key inside, a batch of deletions needs none
                require_space(Path(s3.DATA_DIR), len(body) if _is_form(headers) else 1)
            elif bucket and not key and method == "HEAD":
                require_space(Path(s3.DATA_DIR), HEALTHY_BYTES)
            return await handle(method, path, headers, body, *args, **options)
        except OSError as error:
            reason = f"The object store cannot write to its disk: {error.strerror}."
            return s3._error("ServiceUnavailable", reason, 503)
        except NotStored as error:
            return s3._error("ServiceUnavailable", str(error), 503)

    return handle_request


def _is_form(headers: Any) -> bool:
    return str(headers.get("content-type", "")).lower().startswith("multipart/form-data")


def _verified(s3: Any, persist: Callable[..., None]) -> Callable[..., None]:
    def persist_object(bucket: str, key: str, obj: Any) -> None:
        persist(bucket, key, obj)
        path = s3._object_disk_path(bucket, key)
        stored = path and Path(path).is_file() and Path(path).stat().st_size == obj["size"]
        if not stored or obj.get("body") is not None:  # it drops the body once that is on disk
            s3._buckets[bucket]["objects"].pop(key, None)
            raise NotStored("The object could not be written to disk.")

    return persist_object
