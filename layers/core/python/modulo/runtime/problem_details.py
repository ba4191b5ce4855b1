"""Errors as the members of RFC 9457 problem details."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from modulo.domain.files.event_batch import EventBatch
from modulo.runtime.telemetry import request_id, trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modulo.domain.errors import ModuloError

TYPE: Final = "urn:modulo:problem:"
"""What the type of every problem begins with; its code follows."""


def details(error: ModuloError) -> dict[str, Any]:
    """The members of an error's problem."""
    return {**error.extra, **members(error.code(), error.title, error.status, error.detail)}


def members(code: str, title: str, status: int, detail: str) -> dict[str, Any]:
    """What every problem has."""
    found = {"type": TYPE + code, "title": title, "status": status, "detail": detail, "request_id": request_id.get()}
    trace = trace_id()
    return found if trace is None else found | {"trace_id": trace}


def ending(error: ModuloError) -> EventBatch:
    """The last thing that somebody is told who may not watch, or no longer."""
    return EventBatch([("end", problem_json(error))], None)


def problem_json(error: ModuloError) -> str:
    """An error's problem as JSON on one line."""
    return compact_json(details(error))


def compact_json(document: Mapping[str, Any]) -> str:
    """A document as JSON on one line, as an event holds it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
