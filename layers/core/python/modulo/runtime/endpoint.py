"""What the endpoints of functions import."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import fastapi
from fastapi import BackgroundTasks, Depends, Query, Request, Response

from modulo.runtime.auth import Reader, Reauthenticate, Writer
from modulo.runtime.http import handler_of
from modulo.runtime.parameters import (
    After,
    AfterChunk,
    AfterId,
    AfterMember,
    Flag,
    IdempotencyKey,
    LastEventId,
    PageSize,
)
from modulo.runtime.problems import responses
from modulo.runtime.rate_limits import announces, remaining
from modulo.runtime.strict_route import StrictRoute
from modulo.runtime.telemetry import add_log_fields
from modulo.runtime.threads import run, run_external
from modulo.services import services

__all__ = [
    "APIRouter",
    "After",
    "AfterChunk",
    "AfterId",
    "AfterMember",
    "Flag",
    "IdempotencyKey",
    "LastEventId",
    "Later",
    "PageSize",
    "Query",
    "Reader",
    "Reauthenticate",
    "Request",
    "Response",
    "Schedule",
    "Writer",
    "add_log_fields",
    "announces",
    "at_once",
    "handler_of",
    "later_or_streamed",
    "remaining",
    "responses",
    "run",
    "run_external",
    "services",
    "set_batch_status",
    "set_duplicate_status",
]


APIRouter = partial(fastapi.APIRouter, route_class=StrictRoute)


Schedule = Callable[[Callable[[], None]], None]
"""Takes work that an answer need not wait for."""


async def _later(tasks: BackgroundTasks) -> Schedule:
    def later(work: Callable[[], None]) -> None:
        tasks.add_task(run, work)

    return later


Later = Annotated[Schedule, Depends(_later)]
"""Schedules work after the response; in a function it runs before, as nothing runs there afterwards."""


def at_once(work: Callable[[], None]) -> None:
    """For a stream what `Later` is for a response: it runs on the stream's thread, behind the last event."""
    work()


def later_or_streamed(later: Schedule, *, stream: bool | None) -> Schedule:
    """`later` for a response, or `at_once` where the same route streams."""
    return at_once if stream else later


def set_duplicate_status(response: Response, duplicate_of: str | None) -> None:
    """Answer 200 in place of the route's own status where the bytes were there already and nothing was made."""
    if duplicate_of is not None:
        response.status_code = 200


def set_batch_status(response: Response, *, failed: int) -> None:
    """Answer 207 in place of the route's own status where part of a batch failed, or all of it."""
    if failed:
        response.status_code = 207
