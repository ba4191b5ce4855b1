"""How exactly a row is what a question asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.row_match import row_match, selecting_cells, share_of_name
from modulo.domain.text.stemming import content_words

HEADER = ["Device | Room | Condition | Insured"]
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


def selecting(question: str, row: str, *, denied: bool = False) -> list[int]:
    return sorted(selecting_cells(HEADER, row, frozenset(content_words(question)), denied=denied))


@pytest.mark.parametrize(
    ("question", "row", "columns"),
    [
        ("Which devices are on loan?", "Pump | 3.15 | on loan | no", [2]),
        ("Which devices are on loan?", "Pump | 3.15 | in use | no", []),
        ("Which devices are on loan?", "Pump | 3.15 | on loan to ward 4 | no", []),  # more than is asked for
        ("Which devices are insured?", "Pump | 3.15 | in use | yes", [3]),
        ("Which devices are insured?", "Pump | 3.15 | in use | no", []),
        ("Which insured devices are on loan?", "Pump | 3.15 | on loan | yes", [2, 3]),
        ("Where is the pump?", "Pump | 3.15 | in use | no", []),  # its name selects no row
        ("What is in room 3.15?", "Pump | 3.15 | in use | no", []),  # nor does a figure
        ("Which devices are on loan?", "Pump | on loan", []),  # which columns is not known
        ("", "Pump | 3.15 | in | yes", []),
    ],
)
def test_a_cell_selects_its_row_where_all_of_it_is_asked_for(question: str, row: str, columns: list[int]) -> None:
    assert selecting(question, row) == columns


def test_a_cell_that_denies_is_selected_by_a_question_that_denies() -> None:
    assert selecting("Which devices are working?", "Pump | 3.15 | not working | no") == []
    assert selecting("Which devices are not working?", "Pump | 3.15 | not working | no", denied=True) == [2]
    assert selecting("Which devices are not working?", "Pump | 3.15 | working | no", denied=True) == []
