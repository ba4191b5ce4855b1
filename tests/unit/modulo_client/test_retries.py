from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from modulo_client.retries import MAX_SECONDS, backoff, pause_after, retry_after


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 501])
def test_what_will_not_pass_is_not_repeated(status: int) -> None:
    assert pause_after(status, {"retry-after": "1"}, attempt=1) is None


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_repeated_when_the_server_says(status: int) -> None:
    assert pause_after(status, {"retry-after": "7"}, attempt=1) == 7
    assert pause_after(status, {"retry-after": str(int(MAX_SECONDS) + 1)}, attempt=1) is None
    assert 0 < (pause_after(status, {}, attempt=1) or 0) <= 0.5


def test_pauses_grow_up_to_a_limit_and_differ() -> None:
    assert 2 <= backoff(4) <= 4
    assert backoff(1_000) <= MAX_SECONDS
    assert len({backoff(3) for _ in range(20)}) > 1


def test_a_date_is_a_time_to_come_back_too() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    assert 15 < (retry_after({"retry-after": later}) or 0) <= 20
    assert retry_after({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}) == 0


@pytest.mark.parametrize("value", ["", "soon", "-1", "1e9", "٣x"])
def test_what_is_no_time_is_none(value: str) -> None:
    assert retry_after({"retry-after": value}) is None
