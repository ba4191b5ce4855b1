"""What endpoints are written with."""

from fastapi import APIRouter, Query, Response

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
