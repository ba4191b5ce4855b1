"""Addresses of servers."""


def server_address(url: str) -> str:
    """The address of a server without a path, of whatever people call its address: with or without `/api`."""
    return url.rstrip("/").removesuffix("/api")
