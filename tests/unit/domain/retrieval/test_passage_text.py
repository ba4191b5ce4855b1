"""What models read of a passage."""

import pytest

from modulo.domain.retrieval.passage_text import label, reading
from modulo.domain.text.stemming import content_words
from tests.unit.passages import passage

LONG = " ".join(f"Sentence number {n} tells of the weather in town." for n in range(30))


@pytest.mark.parametrize(
    ("name", "title", "heading", "expected"),
    [
        ("travel_policy-2026.docx", None, "", "travel policy 2026"),
        ("travel-policy.docx", "Travel Policy", "Hotels", "travel policy > Hotels"),
        ("p303.txt", None, "", ""),
        ("p303.txt", "Steam", "Steam > Turbines", "Steam > Turbines"),
        ("x.md", "Handbook", "Handbook > Leave > Annual leave", "Handbook > Leave > Annual leave"),
    ],
)
def test_the_label_says_each_thing_once(name: str, title: str | None, heading: str, expected: str) -> None:
    assert label(passage("Text.", name=name, title=title, heading=heading)) == expected


def test_a_name_without_a_word_is_told_where_the_question_holds_it() -> None:
    assert label(passage("Text.", name="p303.txt"), {"p303"}) == "p303"


def test_the_label_stands_above_the_text() -> None:
    assert (
        reading(passage("Some text.", name="notes.txt", heading="A"), frozenset(), max_words=50) == "notes\nSome text."
    )
    found = reading(passage("Some text.", name="notes.txt", heading="Aims"), frozenset(), max_words=50)
    assert found == "notes > Aims\nSome text."
    assert reading(passage("", name="1.txt"), frozenset(), max_words=50) == ""


def test_of_a_long_passage_the_window_with_the_questions_words_is_read() -> None:
    text = f"{LONG} The warranty of the pump lasts four years. {LONG}"
    found = reading(passage(text), frozenset(content_words("How long is the pump's warranty?")), max_words=40)
    assert "The warranty of the pump lasts four years." in found
    assert len(found.split()) <= 41


def test_a_long_passage_without_the_questions_words_is_read_from_its_start() -> None:
    found = reading(passage(LONG), frozenset({"zebra"}), max_words=40)
    assert found.startswith("notes\nSentence number 0")


def test_a_sentence_longer_than_the_window_is_read_alone() -> None:
    assert reading(passage("word " * 60), frozenset(), max_words=10).split()[1:] == ["word"] * 60


def test_rows_are_spelled_out_below_their_caption() -> None:
    table = passage("Sales in millions\nYear | Sold\n2020 | 15\n2021 | 22", name="1.csv", table=0)
    assert reading(table, frozenset(), max_words=50) == "Sales in millions\nYear: 2020; Sold: 15\nYear: 2021; Sold: 22"
    assert reading(passage("One row | alone", name="1.csv", table=0), frozenset(), max_words=50) == "One row | alone"


def test_headings_within_a_window_stand_above_their_text() -> None:
    text = f"Leave\n\n{LONG}\n\nNotice\n\nThe period is two months."
    found = reading(passage(text, name="1.txt"), frozenset(content_words("notice period")), max_words=8)
    assert found == "Notice\nThe period is two months."
