"""Errors as the members of RFC 9457 problem details, for whoever tells of them."""

import json
from typing import Any, Final

from modulo.domain.errors import ModuloError
from modulo.domain.watching import Told
from modulo.runtime.telemetry import request_id

TYPE: Final = "urn:modulo:problem:"
"""What the type of every problem begins with; its code follows."""


def details(error: ModuloError) -> dict[str, Any]:
    """The members of an error's problem."""
    return {**error.extra, **members(error.code(), error.title, error.status, error.detail)}


def members(code: str, title: str, status: int, detail: str) -> dict[str, Any]:
    """What every problem has."""
    return {"type": TYPE + code, "title": title, "status": status, "detail": detail, "request_id": request_id.get()}


def ending(error: ModuloError) -> Told:
    """The last thing that somebody is told who may not watch, or no longer."""
    return Told([("end", json.dumps(details(error), ensure_ascii=False, separators=(",", ":")))], None)
