"""How exactly a row is what a question asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.row_match import row_match, share_of_name

WORDS = st.frozensets(st.sampled_from(["cash", "used", "net", "tax", "2019"]))


def test_a_row_whose_name_is_only_a_part_of_what_is_asked_for_matches_less() -> None:
    asked = {"cash", "used", "investing", "2019"}
    assert row_match({"cash", "used", "investing"}, asked) == 1
    assert row_match({"cash"}, asked) == pytest.approx(1 / 3)
    assert share_of_name({"cash"}, asked) == 1


def test_a_row_whose_name_says_more_than_what_is_asked_for_matches_less() -> None:
    assert row_match({"deferred", "tax"}, {"tax", "2019"}) == 1 / 2
    assert row_match({"tax", "2018"}, {"tax", "2019"}) == 1 / 2


def test_nothing_matches_where_there_is_no_name_or_no_word() -> None:
    assert row_match(set(), {"tax"}) == 0
    assert row_match({"2019"}, {"2019"}) == 0


@given(WORDS, WORDS)
def test_a_match_is_from_0_to_1_and_whole_only_for_the_same_words(name: frozenset[str], asked: frozenset[str]) -> None:
    assert 0 <= row_match(name, asked) <= share_of_name(name, asked) <= 1
    if row_match(name, asked) == 1:
        assert asked - {"2019"} <= name <= asked
