"""Rows that a question selects alike, as one extract."""

from modulo.domain.answers.extracts import Extract, extracts
from modulo.domain.answers.selected_rows import is_named, selected_together
from modulo.domain.text.stemming import content_words
from tests.unit.passages import passage


def together(question: str, text: str, *, near: slice = slice(None), heading: str = "") -> list[str]:
    found = extracts(question, [passage(text, heading=heading)])
    told = selected_together(found[near], found, found, frozenset(content_words(question)))
    return [one.text for one in told]


ROWS = "Product | State\nSoup | [old]\nRice | new\nTea | [old]"


def test_they_stand_below_their_header_in_their_order() -> None:
    both = "List: \u201cProduct | State \u2026 Soup | (old) \u2026 Tea | (old)\u201d"
    assert together("Which products are old?", ROWS, heading="List") == [both]
    assert together("Which products are old?", ROWS, near=slice(None, None, -1), heading="List") == [both]


def test_a_row_stays_alone_that_is_named_or_not_selected_or_of_which_others_are_far_behind() -> None:
    one = "\u201cProduct | State \u2026 Soup | (old)\u201d"
    assert together("Is the soup old?", ROWS, near=slice(1)) == [one]
    assert together("What is the state?", ROWS, near=slice(1)) == [one]
    assert together("Which products are old?", ROWS, near=slice(1)) == [one]
    assert together("Which products are old?", ROWS, near=slice(0)) == []


def test_rows_are_joined_as_far_as_there_is_room() -> None:
    long = "Product | Taste | State\n" + "\n".join(f"P{n} | {'sweet ' * 40} | old" for n in range(4))
    assert [one.count("sweet") for one in together("Which are old?", long)] == [80, 40, 40]


def test_a_row_of_many_columns_that_is_not_quoted_whole_is_not_joined() -> None:
    wide = "Product | State | Note\n" + "\n".join(f"P{n} | old | {'very ' * 70}" for n in range(2))
    assert len(together("Which are old?", wide)) == 2


def test_a_row_is_named_by_half_of_its_name() -> None:
    def row(name: str) -> Extract:
        return Extract(1, "", "", "", row_words=frozenset(name.split()))

    assert is_named(row("base unit"), frozenset(("unit", "cost")))
    assert not is_named(row("base unit"), frozenset(("probe", "cost")))
    assert not is_named(row(""), frozenset(("unit",)))
