"""Errors as RFC 9457 problem details."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

from modulo.domain.errors import InvalidRequest, ModuloError, NotFound, QuotaExceeded, Unauthenticated
from modulo.runtime.field_errors import field_errors
from modulo.runtime.field_names import as_written
from modulo.runtime.methods import allowed_methods
from modulo.runtime.named_ids import GIVEN, field_of
from modulo.runtime.problem_details import details, members
from modulo.runtime.rate_limits import exhausted
from modulo.runtime.telemetry import count_failure

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
PROBLEMS = "x-problems"
"""Under this name an operation's description holds the codes of the problems with a status."""
OF_V1: Final = "v1_"
"""How the ids of operations of `/v1` begin, as the names of its functions."""
UNKNOWN: Final = "unknown"
"""Stands for the route of a request that no endpoint takes."""


Answer = Callable[[Mapping[str, Any], Mapping[str, str]], JSONResponse]
"""How a door says what went wrong: a problem's members and headers in, a response out."""
ANSWER: Final = "modulo.answer"
"""The key of a request's scope under which its door's `Answer` stands."""


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong and what to do about it (RFC 9457); some kinds of problems have more members."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:modulo:problem:` and the code of the kind of problem")
    title: str
    status: int
    detail: str = Field(description="what happened, to what, and what to do")
    request_id: str = Field(description="to be named to whoever runs the service")
    trace_id: str | None = Field(default=None, description="of the request and all that it led to (W3C Trace Context)")
    errors: list[FieldProblem] | None = Field(default=None, description="the fields that are wrong")


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
    """The errors of an endpoint for its OpenAPI description.

    Those that every endpoint may raise are added where the description is made: a function makes none.
    """
    told: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        told.setdefault(error.status, {"description": "", PROBLEMS: []})[PROBLEMS].append(error.code())
    return told


def problem(error: ModuloError, scope: Scope) -> JSONResponse:
    """An error as a response, in the form of the request's door."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, QuotaExceeded):
        headers |= exhausted(error)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer_of(scope)(details(error), headers)


def _answer_of(scope: Scope) -> Answer:
    answer: Answer = scope.get(ANSWER, problem_answer)
    return answer


def problem_answer(body: Mapping[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    """The answer of `/api`: the problem itself."""
    return JSONResponse(body, status_code=body["status"], headers=dict(headers), media_type=MEDIA_TYPE)


def route_of(scope: Scope) -> str:
    """The route's path, without the ids of a request; that of `/v1` with the door, as `/api` has some of the same."""
    route = scope.get("route")
    path: str = getattr(route, "path", UNKNOWN)
    return f"/v1{path}" if (getattr(route, "operation_id", None) or "").startswith(OF_V1) else path


async def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ModuloError)  # noqa: S101 - what it is registered for
    count_failure(error)
    if isinstance(error, NotFound) and error.about is not None and (field := field_of(error.about, request)):
        error = error.at(field)
    if isinstance(error, InvalidRequest):
        error = as_written(error, request.scope.get(GIVEN))
    if error.status >= 500:
        path = route_of(request.scope)
        log.error("%s %s answered %s: %s", request.method, path, error.code(), error.detail)
    return problem(error, request.scope)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    return problem(invalid(error.errors(), error.body), request.scope)


def invalid(found: Sequence[Any], given: Any = None) -> ModuloError:
    """Pydantic's errors as a problem: each field with what is wrong with it; `given` is the body."""
    if any(entry["type"] == "json_invalid" for entry in found):
        return MalformedRequest("The body is not valid JSON.")
    errors, more = field_errors(found, given)
    return InvalidRequest.fields(errors, unnamed=more)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = {name: value for name, value in (error.headers or {}).items() if name.lower() != "allow"}
    kind: type[ModuloError]
    match error.status_code:
        case 404:
            kind, detail = NoSuchEndpoint, f"There is no endpoint {request.url.path}; /api/openapi.json lists all."
        case 405:
            allowed = ", ".join(allowed_methods(request.scope))
            headers = {**headers, "Allow": allowed}
            kind, detail = MethodNotAllowed, f"{request.method} is not allowed here; use one of {allowed}."
        case _:
            kind, detail = MalformedRequest, f"{error.detail.rstrip('.')}."
    return _answer_of(request.scope)(members(kind.code(), kind.title, error.status_code, detail), headers)
