"""The path of a request that came by a custom domain of API Gateway.

The domain's base paths are the stages of the APIs (infra/domain.yaml), so that its addresses are those of a server. API
Gateway takes the stage off the path of a request to an API's own address, and leaves the base path of a domain on it.
"""

from typing import Any


def without_base_path(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the path as the function's routes have it.

    The path that the client asked for tells the two apart: it is the event's own where nothing was taken off.
    """
    context = event["requestContext"]
    base, path = f"/{context.get('stage')}", event["path"]
    if context.get("path") != path or (path != base and not path.startswith(f"{base}/")):
        return event
    return {**event, "path": path.removeprefix(base) or "/"}
