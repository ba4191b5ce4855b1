"""The part of a URL that logs may hold."""

from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """A URL's host and port, without credentials, path or query; `unknown` where there is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2] or "unknown"
    except ValueError:
        return "unknown"
