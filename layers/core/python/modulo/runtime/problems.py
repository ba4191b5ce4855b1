"""Errors as RFC 9457 problem details."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from modulo.domain.errors import InvalidRequest, ModuloError, Unauthenticated
from modulo.runtime.details import details, members

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, str]] | None = None


class MalformedRequest(ModuloError):
    """The body is not what its content type says: send well-formed JSON, or a form where one is asked for."""

    status = 400
    title = "Malformed request"


class NoSuchEndpoint(ModuloError):
    """There is no such endpoint; /api/openapi.json lists all."""

    status = 404
    title = "Not found"


class MethodNotAllowed(ModuloError):
    """The endpoint does not take this method."""

    status = 405
    title = "Method not allowed"


class AnswerTooLarge(ModuloError):
    """The answer is larger than a function can give (6 MB): ask for fewer items, or for fewer passages."""

    status = 422
    title = "Answer too large"


def handle_problems(app: FastAPI) -> None:
    """Make the application answer every error with a problem."""
    app.add_exception_handler(ModuloError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def responses(*errors: type[ModuloError]) -> dict[int | str, dict[str, Any]]:
    """The errors of an endpoint for its OpenAPI description; those that any may raise are included."""
    every: list[type[ModuloError]] = [Unauthenticated, InvalidRequest, *errors]
    return {
        error.status: {"description": error.title, "content": {MEDIA_TYPE: {}}, "model": Problem} for error in every
    }


def problem(error: ModuloError) -> JSONResponse:
    """The response that tells of an error."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _response(details(error), headers)


def _response(body: Mapping[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(body, status_code=body["status"], headers=dict(headers), media_type=MEDIA_TYPE)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ModuloError)  # noqa: S101 - what it is registered for
    if error.status >= 500:
        log.error("%s: %s", error.code(), error.detail)
    return problem(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    return problem(invalid(error.errors()))


def invalid(found: Sequence[Any]) -> ModuloError:
    """What is wrong with what was sent, in the words of pydantic's errors."""
    if any(entry["type"] == "json_invalid" for entry in found):
        return MalformedRequest("The body is not valid JSON.")
    errors = [{"field": _field(entry["loc"]), "message": str(entry["msg"])} for entry in found]
    detail = "; ".join(f"{entry['field']}: {entry['message']}" for entry in errors)
    return InvalidRequest(detail, errors=errors)


def _field(location: Sequence[str | int]) -> str:
    """A field's path as the client wrote it, without where in the request it stood."""
    parts = location[1:] if len(location) > 1 and location[0] in ("body", "query", "path", "header") else location
    return ".".join(str(part) for part in parts)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = error.headers or {}
    kind: type[ModuloError]
    match error.status_code:
        case 404:
            kind, detail = NoSuchEndpoint, f"There is no endpoint {request.url.path}; /api/openapi.json lists all."
        case 405:
            allowed = headers.get("allow", headers.get("Allow", ""))
            kind, detail = MethodNotAllowed, f"{request.method} is not allowed here; use {allowed}."
        case _:
            kind, detail = MalformedRequest, f"{error.detail}."
    return _response(members(kind.code(), kind.title, error.status_code, detail), headers)
