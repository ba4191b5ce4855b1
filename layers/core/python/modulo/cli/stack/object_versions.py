"""Makes MiniStack answer a GET of an object's version as S3 does: with ranges and the response headers asked for.

By itself it ignores both where the request names a version, so a download would lose its file name and be shown by the
browser instead of saved.
"""

from collections.abc import Callable
from typing import Any


def serve_versions_as_s3(s3: Any) -> None:
    """Patch MiniStack's S3 module."""
    s3._get_object = _versioned(s3, s3._get_object)


def _versioned(s3: Any, get: Callable[..., Any]) -> Callable[..., Any]:
    def get_object(bucket: str, key: str, headers: Any, query: Any = None) -> Any:
        query = query or {}
        if wanted := s3._qp(query, "versionId"):
            current = s3._buckets.get(bucket, {}).get("objects", {}).get(key)
            if current and current.get("version_id") == wanted:
                query = {name: value for name, value in query.items() if name != "versionId"}
        answer = get(bucket, key, headers, query)
        if "versionId" in query and answer[0] == 200:
            s3._apply_response_overrides(answer[1], query)
        return answer

    return get_object
