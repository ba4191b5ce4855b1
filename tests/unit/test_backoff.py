"""How long failed messages wait."""

from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.backoff import LONGEST, pause

KEYS = st.uuids().map(str)


@given(st.integers(1, 2_000), st.integers(1, 3_600), KEYS)
def test_a_pause_lies_in_the_upper_half_of_its_doubling(attempt: int, base: int, key: str) -> None:
    whole = min(base * 2 ** (attempt - 1), LONGEST)
    assert whole / 2 <= pause(attempt, base=base, key=key) <= whole


@given(st.integers(1, 20), st.integers(0, 4 * LONGEST), KEYS)
def test_nobody_comes_before_the_time_that_was_asked_for(attempt: int, asked: int, key: str) -> None:
    found = pause(attempt, base=1, key=key, asked=asked)
    assert min(asked, LONGEST) <= found <= min(LONGEST, max(2 ** (attempt - 1), asked * 1.5 + 1))


def test_messages_that_failed_together_come_apart() -> None:
    for asked in (0, 600):
        pauses = [pause(3, base=60, key=str(number), asked=asked) for number in range(200)]
        assert len(set(pauses)) > 60
    assert pause(3, base=60, key="a") == pause(3, base=60, key="a") != pause(3, base=60, key="b")
