"""What is quoted of sentences and rows."""

from modulo.domain.answers.extract_text import MAX_WORDS
from modulo.domain.answers.extracts import extracts
from tests.unit.passages import passage


def texts(question: str, *found: str, heading: str = "") -> list[str]:
    return [one.text for one in extracts(question, [passage(text, heading=heading) for text in found])]


def test_a_heading_that_is_long_or_repeated_is_left_out() -> None:
    assert texts("leave", "Take your leave early.", heading="Leave") == ["\u201cTake your leave early.\u201d"]
    assert texts("leave", "Take it early.", heading=" ".join(["long"] * 20)) == ["\u201cTake it early.\u201d"]
    assert texts("leave", "Take it.", heading="Rules > What is \u201cleave\u201d? [1].") == [
        "What is leave (1): \u201cTake it.\u201d"
    ]


def test_a_lead_in_goes_on_to_what_it_introduces() -> None:
    text = "You need:\n- a form\n- a photo\n\nIt is free."
    assert texts("What do you need?", text)[0] == "\u201cYou need: - a form - a photo\u201d"
    assert texts("What do you need?", "You need:\n- a form")[0] == "\u201cYou need: - a form\u201d"
    many = "You need:\n" + "\n".join(f"- thing number {n} of the long list" for n in range(20))
    assert len(texts("What do you need?", many)[0].split()) <= MAX_WORDS


def test_a_long_sentence_is_cut_to_the_words_of_the_question() -> None:
    text = f"{'rain fell ' * 28}and the warranty of the pump lasts four years {'rain fell ' * 6}again"
    [cut] = texts("How long is the warranty of the pump?", text)
    assert "the warranty of the pump lasts four years" in cut
    assert cut.startswith("\u201c\u2026 ")
    assert len(cut.split()) <= MAX_WORDS
    [start] = texts("warranty", f"The warranty {'of rain ' * 35}ends")
    assert "warranty" in start
    assert start.endswith(" \u2026\u201d")


def test_of_a_wide_row_the_columns_that_are_asked_for_are_quoted() -> None:
    header = " | ".join(["Region", *(f"Sales of the year {n}" for n in range(2000, 2020))])
    row = " | ".join(["North", *(f"{n} units" for n in range(20))])
    [quoted] = texts("What was the year 2004 in the North region?", f"{header}\n{row}")
    assert len(quoted.split()) <= MAX_WORDS
    assert "Region" in quoted
    [captioned] = texts("pens", f"Sales {'of goods ' * 30}\nName | Price\nPens | 2")[1:] or [""]
    assert captioned == "\u201cName \u2026 Price \u2026 Pens \u2026 2\u201d"
    [ragged] = texts("north", f"{header}\n{row} | more")
    assert len(ragged.split()) <= MAX_WORDS


def test_brackets_are_no_marks() -> None:
    assert texts("rhine", "The Rhine is long.[2]") == ["\u201cThe Rhine is long.(2)\u201d"]


def test_an_item_stands_below_the_line_that_introduces_it() -> None:
    text = "It does not cover:\n- rust,\n- storms."
    assert texts("storms", text)[2] == "\u201cIt does not cover: \u2026 - storms.\u201d"
    long = f"{'It never covers any such thing as these ' * 5}:\n- rust,\n- storms."
    assert texts("storms", long)[2] == "\u201c- storms.\u201d"
