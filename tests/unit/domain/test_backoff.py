"""How long failed messages wait."""

from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.backoff import MAX_DELAY_SECONDS, retry_delay

KEYS = st.uuids().map(str)


@given(st.integers(1, 2_000), st.integers(1, 3_600), KEYS)
def test_a_pause_lies_in_the_upper_half_of_its_doubling(attempt: int, base: int, key: str) -> None:
    whole = min(base * 2 ** (attempt - 1), MAX_DELAY_SECONDS)
    assert whole / 2 <= retry_delay(attempt, base_seconds=base, key=key) <= whole


@given(st.integers(1, 20), st.integers(0, 4 * MAX_DELAY_SECONDS), KEYS)
def test_nobody_comes_before_the_time_that_was_asked_for(attempt: int, asked: int, key: str) -> None:
    found = retry_delay(attempt, base_seconds=1, key=key, retry_after=asked)
    assert min(asked, MAX_DELAY_SECONDS) <= found <= min(MAX_DELAY_SECONDS, max(2 ** (attempt - 1), asked * 1.5 + 1))


def test_messages_that_failed_together_come_apart() -> None:
    for asked in (0, 600):
        pauses = [retry_delay(3, base_seconds=60, key=str(number), retry_after=asked) for number in range(200)]
        assert len(set(pauses)) > 60
    assert (
        retry_delay(3, base_seconds=60, key="a")
        == retry_delay(3, base_seconds=60, key="a")
        != retry_delay(3, base_seconds=60, key="b")
    )
