"""Rows that a question selects alike, as one extract."""

from modulo.domain.answers.extracts import Extract, extracts
from modulo.domain.answers.selected_rows import decided_together, is_named, selected_together
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


def test_all_rows_stand_together_where_a_part_of_their_heading_is_asked_for() -> None:
    rows = "Size | Price\nS | 4\nM | 6\nL | 9\n\nOthers cost more."
    whole = "Parcel rates of 2026: \u201cSize | Price \u2026 S | 4 \u2026 M | 6 \u2026 L | 9\u201d"
    rest = "Parcel rates of 2026: \u201cOthers cost more.\u201d"
    assert together("What are the rates for parcels?", rows, heading="Parcel rates of 2026") == [whole, rest]
    assert len(together("What are the rates for letters?", rows, heading="Parcel rates of 2026")) == 4
    assert len(together("Who sets the rates for parcels?", rows, heading="Parcel rates of 2026")) == 4


def decided(question: str, *tables: str, heading: str = "") -> list[str]:
    found = extracts(question, [passage(text, heading=heading) for text in tables])
    return [one.text for one in decided_together(found)]


FEES = "Course | Fee\nYoga | 5\nJudo | 4"


def test_decided_rows_of_a_table_are_one_extract() -> None:
    whole = "Fees: \u201cCourse | Fee \u2026 Yoga | 5 \u2026 Judo | 4\u201d"
    assert decided("What are the fees?", FEES, "No table.", heading="Fees") == [whole]
    assert decided("Which course has the lowest fee?", FEES) == ["\u201cCourse | Fee \u2026 Judo | 4\u201d"]
    assert decided("Who is there?", FEES) == []


def test_a_table_in_several_passages_is_decided_only_as_a_whole() -> None:
    others = "Course | Fee\nChess | 1\nRugby | 9"
    assert decided("Which course has the lowest fee?", FEES, others) == []
    assert len(decided("What are the fees?", FEES, others, heading="Fees")) == 2


def test_a_long_table_ends_with_a_sign() -> None:
    long = "Course | Fee\n" + "\n".join(f"Course {n} | {n}" for n in range(90))
    (told,) = decided("What are the fees?", long, heading="Fees")
    assert told.endswith("\u2026\u201d")
    assert "Course 8 | 8" in told
