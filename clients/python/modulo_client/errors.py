"""What goes wrong: every error of this package is a `ModuloError`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ModuloError(Exception):
    """The base of every error of this package."""


class ConnectionFailed(ModuloError):
    """The server did not answer: it is not there, or it did not answer in time."""


class UploadRefused(ConnectionFailed):
    """The object store refused the bytes of a file."""


class NotSent(ModuloError):
    """A file was not sent, because what stopped an earlier one would stop it too."""


class InvalidResponse(ModuloError):
    """The answer is none of Modulo's: mostly the address leads to something else."""


class NotReady(ModuloError):
    """Files did not become ready within the time given; they are still being read."""


class ApiProblem(ModuloError):
    """The server refused a request, and says why (RFC 9457).

    Attributes:
        status: the HTTP status.
        code: the problem's name, such as `quota-exceeded`; stable, where words are not.
        detail: what is wrong, for people.
        errors: for invalid requests, each field with what is wrong with it.
        retry_after: the seconds after which to try again, where the server says so.
        request_id: what to name to the operator of the server.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.code = str(problem.get("type", "unknown")).rpartition(":")[2]
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", "")) or self.title or f"status {status}"
        self.errors: list[dict[str, str]] = list(problem.get("errors") or [])
        self.retry_after = retry_after
        self.request_id: str | None = problem.get("request_id")
        super().__init__(f"{self.detail} ({self.code}, status {status})")


class InvalidRequest(ApiProblem):
    """The request is malformed or a field is wrong (400, 415, 422)."""


class Unauthenticated(ApiProblem):
    """The credential is missing, unknown, revoked or expired (401)."""


class Forbidden(ApiProblem):
    """The credential does not allow it (403)."""


class NotFound(ApiProblem):
    """There is no such thing, or it belongs to others (404, 410)."""


class Conflict(ApiProblem):
    """It contradicts what is there, such as a name that is taken (409, 412)."""


class TooLarge(ApiProblem):
    """The body is larger than the server takes (413)."""


class Throttled(ApiProblem):
    """A quota or rate is used up (429); `retry_after` says when to come back."""


class ServerFailed(ApiProblem):
    """The server or a part of it failed (5xx)."""


_BY_STATUS: Mapping[int, type[ApiProblem]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: Throttled,
}


def problem_of(status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> ApiProblem:
    """The error for a status and a problem's document."""
    kind = _BY_STATUS.get(status, ServerFailed if status >= 500 else ApiProblem)
    return kind(status, problem, retry_after=retry_after)


_NOT_NOW = frozenset({502, 503, 504})


def stops_all(error: Exception) -> bool:
    """Whether the next file would fail alike: no server, no valid key, no right, or a quota that is used up."""
    if isinstance(error, ApiProblem):
        return isinstance(error, Unauthenticated | Forbidden | Throttled) or error.status in _NOT_NOW
    return isinstance(error, ConnectionFailed) and not isinstance(error, UploadRefused)
