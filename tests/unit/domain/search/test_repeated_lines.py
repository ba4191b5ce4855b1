"""Cited lines that several parts of a question have are told once, however they come."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.search.repeated_lines import RepeatedLines

LINES = ("Row [1].", "Row [1]. More [2].", "Row", "Other [2].", "Note:", "", "R\r")
ANSWERS = st.lists(st.sampled_from(LINES), max_size=5).map("\n".join).filter(lambda text: text.strip("\n") == text)


def told(answers: Sequence[str], size: int = 1_000) -> str:
    lines, text = RepeatedLines(), ""
    for answer in answers:
        for at in range(0, len(answer), size):
            text += lines.feed(answer[at : at + size])
        text += lines.end_part()
    return text


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (["Row [1].", "Row [1].\nMore [2]."], "Row [1].\nMore [2]."),
        (["Row [1].", "Row [1]."], "Row [1]."),
        (["One:\n\nA [1].", "One:\n\nA [2]."], "One:\n\nA [1].\nOne:\n\nA [2]."),
        (["A [1].\nA [1].", "B [2]."], "A [1].\nA [1].\nB [2]."),
        (["A [1]. And so on [1].", "A [1]."], "A [1]. And so on [1].\nA [1]."),
        (["A [1].", "A [1]. And so on [1]."], "A [1].\nA [1]. And so on [1]."),
    ],
)
def test_a_cited_line_of_an_earlier_part_is_left_out(answers: list[str], text: str) -> None:
    assert told(answers) == text


@given(st.lists(ANSWERS, max_size=4), st.integers(1, 9))
def test_it_is_the_same_however_the_answers_come(answers: list[str], size: int) -> None:
    assert told(answers, size) == told(answers)


def test_a_line_is_held_back_only_as_long_as_it_may_be_known() -> None:
    lines = RepeatedLines()
    assert lines.feed("Row [1].") + lines.end_part() == "Row [1]."
    assert [lines.feed(part) for part in ("Ro", "ad", "s.")] == ["", "\nRoad", "s."]
