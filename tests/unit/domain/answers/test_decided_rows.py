"""Rows that figures or headings decide on."""

import pytest

from modulo.domain.answers.decided_rows import decided_rows, selection_of
from modulo.domain.retrieval.passage_sentences import passage_sentences

COURSES = "Course | Trainer | Places\nYoga | Ines | 14\nJudo | Bernd | 20\nChess | Carla | 9"
PRICES = "Name | Unit | Price 2025 | Price 2026\nPipe | m | 4.20 | 4.60\nValve | m | 6.80 | 6.50\nNut | m | 0.95 | 0.95"
AGES = "Group | Age | Fee\nYoung | 0 to 17 | 6\nGrown | 18 to 64 | 15\nOld | 65 and over | 9\nTotal | 3 | 30"


def decided(question: str, table: str, heading: str = "Overview", context: str = "") -> list[str]:
    rows = [one for one in passage_sentences(table, heading) if one.is_row]
    found = decided_rows(selection_of(question), rows, context)
    return [rows[at].text.split(" | ")[0] for at in sorted(found)]


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("What are the daily rates?", "Daily rates"),
        ("Which daily rates are there?", "Rules > Daily rates"),
        ("Wie hoch sind die Pauschalen?", "Pauschalen"),
        ("Welche Kurse gibt es?", "Kurse"),
        ("List all fees", "Fees"),
    ],
)
def test_all_rows_are_what_their_heading_says(question: str, heading: str) -> None:
    assert decided(question, COURSES, heading) == ["Yoga", "Judo", "Chess"]


@pytest.mark.parametrize(
    "question",
    [
        "Who sets the fees?",
        "Why are there fees?",
        "What are the fees for yoga?",
        "What is it?",
        "When are the fees due?",
    ],
)
def test_not_all_rows_where_more_or_something_else_is_asked(question: str) -> None:
    assert decided(question, COURSES, "Fees") == []


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which course has the most places?", ["Judo"]),
        ("Which course has the fewest places?", ["Chess"]),
        ("Welcher Course hat die meisten Places?", ["Judo"]),
        ("Which course has the most trainers?", []),
        ("Which hotel has the most places?", []),
        ("Which course has the most places in Bonn?", []),
        ("Has the course the most places?", []),
    ],
)
def test_the_row_with_the_extreme_figure(question: str, rows: list[str]) -> None:
    assert decided(question, COURSES) == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("Which products became cheaper in 2026?", ["Valve"]),
        ("Which products became more expensive?", ["Pipe"]),
        ("Welche Artikel sind teurer geworden?", ["Pipe"]),
        ("Which price fell?", ["Valve"]),
        ("Which insurance became cheaper?", []),
        ("Which products rose?", []),
    ],
)
def test_rows_whose_figure_has_changed(question: str, rows: list[str]) -> None:
    assert decided(question, PRICES) == rows


FEES = (
    "Ticket | Adults | Children | Valid\nDay | 6 | 6 | once\nWeek | 20 | 9 | a week\nDog | 2 | 2 | once\nBus |  |  | no"
)
TARIFE = "Karte | Erwachsene | Kinder\nTag | 6,00 | 6,00\nWoche | 20,00 | 9,00\nHund | frei | Frei"


@pytest.mark.parametrize(
    ("question", "table", "rows"),
    [
        ("Which tickets cost the same for adults and children?", FEES, ["Day", "Dog"]),
        ("What costs adults and children the same?", FEES, ["Day", "Dog"]),
        ("Which tickets are equal for children and adults?", FEES, ["Day", "Dog"]),
        ("Which products had the same price in 2025 and 2026?", PRICES, ["Nut"]),
        ("Was kostet für Erwachsene und Kinder gleich viel?", TARIFE, ["Tag", "Hund"]),
        ("Welche Karte kostet Erwachsene und Kinder dasselbe?", TARIFE, ["Tag", "Hund"]),
        ("Which tickets cost the same for adults?", FEES, []),
        ("Which tickets cost the same?", FEES, []),
        ("Which tickets cost students and children the same?", FEES, []),
        ("Which hotels cost the same for adults and children?", FEES, []),
    ],
)
def test_rows_that_are_the_same_in_two_columns(question: str, table: str, rows: list[str]) -> None:
    assert decided(question, table) == rows


def test_columns_that_the_question_names_alike_are_not_compared() -> None:
    table = "Name | Price net | Price gross\nA | 5 | 5\nB | 7 | 8"
    assert decided("Which have the same price?", table) == []


def test_dear_cheap_heavy_and_light_name_a_column() -> None:
    goods = "Name | Price | Weight\nA | 5 EUR | 9 kg\nB | 7 EUR | 2 kg"
    asked = {"most expensive": "B", "cheapest": "A", "heaviest": "A", "lightest": "B"}
    assert {word: decided(f"Which is the {word} item?", goods)[0] for word in asked} == asked


def test_the_heading_may_say_what_the_figures_of_all_columns_are() -> None:
    seasons = "Item | Low season | High season\nTent | 6 | 8\nDog | 2 | 9"
    assert decided("Which item is the cheapest in low season?", seasons, "Prices") == ["Dog"]
    assert decided("Which item is the most expensive in high season?", seasons, "Prices") == ["Dog"]
    assert decided("Which item is the cheapest in low season?", seasons, "Visitors") == []


@pytest.mark.parametrize("cells", [("5 days", "2 weeks"), ("5", "many"), ("1.200", "900"), ("5", "-")])
def test_figures_that_cannot_be_compared_decide_nothing(cells: tuple[str, str]) -> None:
    assert decided("Which has the highest price?", f"Name | Price\nA | {cells[0]}\nB | {cells[1]}\nC | 4") == []


def test_columns_that_disagree_decide_nothing() -> None:
    table = "Name | Price early | Price late\nA | 5 | 9\nB | 6 | 7"
    assert decided("Which is the cheapest?", table) == []
    assert decided("Which is the cheapest early?", table) == []  # early is no price column alone
    assert decided("Which item became cheaper?", table) == []


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("I am 45: which group am I in?", ["Grown"]),
        ("Which group at 70?", ["Old"]),
        ("Which group at 70 in Bonn?", []),
        ("Which is 45?", []),
        ("Which group?", []),
    ],
)
def test_the_row_whose_range_holds_the_number(question: str, rows: list[str]) -> None:
    assert decided(question, AGES) == rows


def test_sums_are_no_extremes() -> None:
    assert decided("Which group has the highest fee?", AGES) == ["Grown"]


def test_tables_of_one_row_or_of_uneven_rows_decide_nothing() -> None:
    assert decided("What are the fees?", "Fee | Amount\nA | 5", "Fees") == []
    assert decided("What are the fees?", "Fee | Amount\nA | 5\nB | 6 | 7", "Fees") == []
