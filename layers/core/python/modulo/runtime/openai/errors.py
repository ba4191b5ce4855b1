"""Problems as OpenAI's clients expect errors: the one translation of `/v1`."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from modulo.domain.errors import InvalidRequest, ModuloError, Unauthenticated
from modulo.runtime.problem_details import TYPE

BAD_REQUEST: Final = 400
UNPROCESSABLE: Final = 422
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
CODES: Final[Mapping[str, str]] = {
    "unauthenticated": "invalid_api_key",
    "quota-exceeded": "insufficient_quota",
    "throttled": "rate_limit_exceeded",
}
"""OpenAI's own codes; the others are the problem's, with underscores."""
TYPES: Final[Mapping[str, str]] = {"quota-exceeded": "insufficient_quota", "throttled": "rate_limit_error"}
FIELDS: Final[Mapping[str, str]] = {
    "chunking.max_tokens": "chunking_strategy.static.max_chunk_size_tokens",
}
"""Fields under the names that a client of this door knows."""
NO_RETRY: Final = "x-should-retry"
"""The header by which OpenAI's clients learn that a repeated request would change nothing."""


class OpenAIError(BaseModel):
    """What is wrong: `param` names the field, `code` the kind."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorAnswer(BaseModel):
    """An error as OpenAI's clients read it."""

    error: OpenAIError


def openai_answer(body: Mapping[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    """A problem's members as OpenAI's error; what is invalid is 400 there, and a used up quota is not tried again."""
    status = BAD_REQUEST if body["status"] == UNPROCESSABLE else body["status"]
    final = "Retry-After" not in headers and status in (409, TOO_MANY)
    more = {NO_RETRY: "false"} if final else {}
    return JSONResponse({"error": openai_error(body)}, status_code=status, headers={**headers, **more})


def openai_error(body: Mapping[str, Any]) -> dict[str, Any]:
    """A problem's members as the members of OpenAI's error."""
    code = body["type"].removeprefix(TYPE)
    kind = "server_error" if body["status"] >= SERVER_ERROR else TYPES.get(code, "invalid_request_error")
    named = [(_renamed(error["field"]), error["message"]) for error in body.get("errors") or ()]
    message = "; ".join(f"{field}: {said}" for field, said in named) or body["detail"]
    param = named[0][0] if named else None
    return {"message": message, "type": kind, "param": param, "code": CODES.get(code, code.replace("-", "_"))}


def _renamed(field: str) -> str:
    for own, named in FIELDS.items():
        if field == own or field.startswith(f"{own}."):
            return named + field.removeprefix(own)
    return field


def openai_responses(*errors: type[ModuloError]) -> dict[int | str, dict[str, Any]]:
    """The errors of an endpoint for its OpenAPI description, with those that any endpoint may raise."""
    every: list[type[ModuloError]] = [Unauthenticated, InvalidRequest, *errors]
    statuses = {BAD_REQUEST if error.status == UNPROCESSABLE else error.status: error.title for error in every}
    return {status: {"description": title, "model": ErrorAnswer} for status, title in statuses.items()}
