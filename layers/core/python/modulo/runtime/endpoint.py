"""What endpoints are written with."""

from fastapi import APIRouter, Query, Response, UploadFile

from modulo.runtime.auth import Reader, Watcher, Writer
from modulo.runtime.calls import run
from modulo.runtime.http import handler_of
from modulo.runtime.parameters import After, IdempotencyKey, LastEventId, PageSize
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
    "UploadFile",
    "Watcher",
    "Writer",
    "handler_of",
    "responses",
    "run",
    "services",
]
