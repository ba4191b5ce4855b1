"""What endpoints are written with."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Response

from modulo.runtime.auth import Reader, Watcher, Writer
from modulo.runtime.calls import run
from modulo.runtime.http import handler_of
from modulo.runtime.parameters import After, IdempotencyKey, LastEventId, PageSize, SmallFile
from modulo.runtime.problems import responses
from modulo.services import services

__all__ = [
    "APIRouter",
    "After",
    "IdempotencyKey",
    "LastEventId",
    "Later",
    "PageSize",
    "Query",
    "Reader",
    "Response",
    "SmallFile",
    "Watcher",
    "Writer",
    "handler_of",
    "responses",
    "run",
    "services",
]


async def _later(tasks: BackgroundTasks) -> Callable[[Callable[[], None]], None]:
    def later(work: Callable[[], None]) -> None:
        tasks.add_task(run, work)

    return later


Later = Annotated[Callable[[Callable[[], None]], None], Depends(_later)]
"""Takes what is to be done once the answer is out; a function, which stands still from then on, does it before."""
