"""What endpoints are written with."""

from fastapi import APIRouter, Query, Response, UploadFile

from modulo.runtime.auth import Reader, Writer
from modulo.runtime.calls import run
from modulo.runtime.http import handler_of
from modulo.runtime.parameters import After, IdempotencyKey, PageSize
from modulo.runtime.problems import responses
from modulo.services import services

__all__ = [
    "APIRouter",
    "After",
    "IdempotencyKey",
    "PageSize",
    "Query",
    "Reader",
    "Response",
    "UploadFile",
    "Writer",
    "handler_of",
    "responses",
    "run",
    "services",
]
