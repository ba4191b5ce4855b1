"""Where clients reach stored objects, if not at the object store itself: a server tells it with each request."""

from contextvars import ContextVar

object_address: ContextVar[str | None] = ContextVar("object_address", default=None)
