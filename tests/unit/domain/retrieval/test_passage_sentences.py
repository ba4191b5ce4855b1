"""Sentences and what stands above them."""

import pytest

from modulo.domain.retrieval.passage_sentences import (
    MAX_LIST_WORDS,
    PassageSentence,
    lists,
    passage_sentences,
    sections,
)

VERSIONS = "Version 3.0.1\n\nThis version fixes bug 1.\n\nVersion 3.0.2\n\nThis version fixes bug 2."


def told(text: str, heading: str = "") -> list[tuple[str, str]]:
    return [(one.above, one.text) for one in passage_sentences(text, heading)]


def test_a_sentence_stands_below_its_headings() -> None:
    assert told(VERSIONS, "Product > Versions") == [
        ("Product\nVersions\nVersion 3.0.1", "This version fixes bug 1."),
        ("Product\nVersions\nVersion 3.0.2", "This version fixes bug 2."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rules\n\nLeave\n\nTake it.", "Rules\nLeave"),
        ("Version 1\n\nVersion 2\n\nIt works.", "Version 2"),
        ("# Rules\nTake it.", "Rules"),
        ("CAUSE\nThe certificate had expired.", "CAUSE"),
        ("2. Fees\n\nThey are low.", "2. Fees"),
    ],
)
def test_headings_are_told_from_text(text: str, expected: str) -> None:
    assert [one.above for one in passage_sentences(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "A full sentence.\n\nAnother one.",
        "- an item\n\nA sentence behind it.",
        "A line\nof a paragraph\n\nAnother.",
        " ".join(["word"] * 13) + "\n\nText.",
        "The last line",
        "Address\nThe street is long.",
    ],
)
def test_what_is_no_heading_is_a_statement(text: str) -> None:
    assert not any(one.headings for one in passage_sentences(text))


def test_a_question_introduces_its_answer_and_is_no_statement() -> None:
    assert told("How long is it? Two years. It ends then.") == [
        ("How long is it?", "Two years."),
        ("", "It ends then."),
    ]


def test_a_line_with_a_colon_introduces_what_follows() -> None:
    text = "You need:\n- a form\n- a photo\n\n\n\n\nIt is free."
    assert told(text) == [("", "You need:"), ("You need:", "- a form"), ("You need:", "- a photo"), ("", "It is free.")]


def test_rows_have_caption_header_and_group() -> None:
    rows = ["| 2019 | 2018", "Solutions |  |", "Sensors | 914 | 918", "Total solutions | 920 | 930", "Rest | 1 | 2"]
    text = "\n".join(["Sales in millions:", *rows])
    _, first, total, rest = passage_sentences(text)
    assert (first.lead, first.header, first.group) == ("Sales in millions:", ("| 2019 | 2018",), "Solutions | |")
    assert first.spelled_out == "Solutions; Sensors; 2019: 914; 2018: 918"
    assert (total.group, rest.group) == ("Solutions | |", "")
    assert all(one.is_row for one in (first, total, rest))


def test_a_row_with_text_in_its_middle_alone_is_one_of_the_table() -> None:
    [row] = passage_sentences(" | 2019 | 2018\n | (in thousands) | \nSales | 1 | 2")
    assert (row.text, row.header) == ("Sales | 1 | 2", ("| 2019 | 2018", "| (in thousands) |"))


def test_the_line_right_above_a_table_is_its_caption() -> None:
    assert passage_sentences("Sales by year\nYear | Sold\n2020 | 15")[-1].lead == "Sales by year"
    assert passage_sentences("Sales by year\n\n\n\nYear | Sold\n2020 | 15")[-1].lead == ""


def test_a_row_of_another_width_is_read_below_its_header() -> None:
    row = PassageSentence("2020 | 15 | 3", 0, 13, header=("Year | Sold",))
    assert row.spelled_out == "Year | Sold\n2020 | 15 | 3"


def test_tables_apart_have_headers_of_their_own() -> None:
    found = passage_sentences("Year | Sold\n2020 | 15\n\nName | Price\nPen | 2")
    assert [one.header for one in found] == [("Year | Sold",), ("Name | Price",)]


def test_offsets_are_those_of_the_passage() -> None:
    for text in (VERSIONS, "Year | Sold\n2020 | 15", "You need:\n- a form"):
        assert all(" ".join(text[one.start : one.end].split()) == one.text for one in passage_sentences(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.1 (2 May)\n\nNew\n\n- A map.\n\nRemoved\n\n- Fax.", ["5.1 (2 May)\nNew", "5.1 (2 May)\nRemoved"]),
        ("5.1 (2 May)\n\nNew\n\n- A map.\n\n5.0 (7 June)\n\nOld\n\n- Fax.", ["5.1 (2 May)\nNew", "5.0 (7 June)\nOld"]),
        ("Phones\n\nThey ring.\n\nDesks\n\nThey stand.", ["Phones", "Desks"]),
    ],
)
def test_a_heading_ends_the_one_of_its_form_or_else_the_innermost(text: str, expected: list[str]) -> None:
    assert [one.above for one in passage_sentences(text)] == expected


def test_a_note_in_a_table_is_a_sentence_and_names_no_group() -> None:
    rows = ("Order | Discount", "small | none", "Large |", "over 100 | 9 %", "It may change. |", "over 200 | 11 %")
    text = "\n".join((*rows, "\u00b9 not for spare parts |"))
    found = passage_sentences(text)
    assert [(one.text, one.group, one.is_row) for one in found] == [
        ("small | none", "", True),
        ("over 100 | 9 %", "Large |", True),
        ("It may change.", "", False),
        ("over 200 | 11 %", "Large |", True),
        ("\u00b9 not for spare parts", "", False),
    ]
    assert [text[one.start : one.end] for one in found] == [one.text for one in found]


def test_the_items_of_a_list_are_one_text_too() -> None:
    text = "Repair\n\n1. Stop it.\n2. Open it.\n\nIt is hot.\n\n- alone\n\nYou need:\n- a lamp\n- a key"
    assert [(one.text, one.above, one.is_list) for one in lists(passage_sentences(text))] == [
        ("1. Stop it. 2. Open it.", "Repair", True)
    ]


def test_a_long_list_is_cut_behind_an_item() -> None:
    (found,) = lists(passage_sentences("\n".join(f"- item {n} of the long list" for n in range(40))))
    assert found.text.endswith("list \u2026")
    assert len(found.text.split()) <= MAX_LIST_WORDS + 1


def test_a_section_is_what_stands_below_the_same_headings_or_the_same_question() -> None:
    def split(text: str) -> list[list[str]]:
        return [[one.text for one in section] for section in sections(passage_sentences(text))]

    assert split("It rains. It snows.\n\nHail follows.") == [["It rains.", "It snows.", "Hail follows."]]
    assert split(VERSIONS) == [["This version fixes bug 1."], ["This version fixes bug 2."]]
    questions = "Who pays?\nThe firm. It pays at once.\n\nWhat is paid?\n- meals\n- hotels\n\nIs there more?\nNo."
    assert split(questions) == [["The firm.", "It pays at once."], ["- meals", "- hotels"], ["No."]]
    assert split("") == []
