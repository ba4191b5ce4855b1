import pytest

from modulo_client import errors
from modulo_client.errors import ApiProblem, ServerFailed, problem_of, stops_all


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.Unauthenticated),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (413, errors.TooLarge),
        (422, errors.InvalidRequest),
        (429, errors.Throttled),
        (500, ServerFailed),
        (599, ServerFailed),
        (418, ApiProblem),
    ],
)
def test_a_status_has_a_class(status: int, kind: type[ApiProblem]) -> None:
    assert type(problem_of(status, {})) is kind


def test_a_problem_says_what_to_do() -> None:
    told = {"type": "urn:modulo:problem:quota-exceeded", "title": "Quota exceeded", "detail": "No.", "request_id": "r"}
    error = problem_of(429, told, retry_after=9)
    assert (error.code, error.detail, error.request_id, error.retry_after) == ("quota-exceeded", "No.", "r", 9)
    assert str(error) == "No. (quota-exceeded, status 429)"


@pytest.mark.parametrize("told", [{}, {"errors": None}, {"detail": ""}])
def test_an_answer_of_something_else_is_told_by_its_status(told: dict[str, object]) -> None:
    assert str(problem_of(502, told)) == "status 502 (unknown, status 502)"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ConnectionFailed("gone"), True),
        (errors.UploadRefused("too large"), False),
        (errors.NotSent("stopped"), False),
        (problem_of(401, {}), True),
        (problem_of(403, {}), True),
        (problem_of(429, {}), True),
        (problem_of(503, {}), True),
        (problem_of(500, {}), False),
        (problem_of(422, {}), False),
        (OSError("unreadable"), False),
    ],
)
def test_what_would_stop_the_next_file_too_is_known(error: Exception, expected: bool) -> None:
    assert stops_all(error) is expected
