"""Citations: what stands in the passage stays, what does not goes."""

import re

import pytest

from modulo.domain.answers.answer import AnswerDraft
from modulo.domain.answers.citations import check_citations
from modulo.domain.answers.entailment import _find
from modulo.domain.answers.outcome import NOT_FOUND
from tests.unit.passages import passage

RIVERS = passage("The Rhine is 1,233 km long. It rises in the Alps and flows to the North Sea.", name="rivers.txt")
LAKES = passage("Lake Constance covers 536 square kilometres. Three countries share its shores.", name="lakes.txt")
SALES = passage(
    "Sales by year\nYear | Units | Profit\n2020 | 15 | 3.5\n2021 | 22 | 4.1\nAll in millions.", name="sales.csv"
)
PASSAGES = [RIVERS, LAKES, SALES]
RHINE, ALPS = "The Rhine is 1,233 km long", "“It rises in the Alps”"
QUOTED = "“Lake Constance covers 536 square kilometres.”"


def text_of(draft: str, *, most: int = 5) -> str:
    return check_citations(AnswerDraft(draft), PASSAGES, max_citations=most).text


def marks_of(draft: str, *, most: int = 5) -> list[int]:
    return [cited.mark for cited in check_citations(AnswerDraft(draft), PASSAGES, max_citations=most).cited]


@pytest.mark.parametrize(
    "draft",
    [
        "The Rhine is 1,233 km long [1].",
        "The Rhine flows to the North Sea [1]. Lake Constance covers 536 square kilometres [2].",
        "“The Rhine is 1,233 km long.” [1]",
        'The Rhine "rises in the Alps" [1] and is 1233 km long [1].',
        "- The Rhine rises in the Alps [1]\n- Lake Constance has three countries on its shores [2]",
        "“Year | Units | Profit … 2021 | 22 | 4.1” [3]",
        "In 2021, 22 units were sold [3].",
        "The lake and the river:\nThe Rhine is 1,233 km long [1].",
    ],
)
def test_what_the_passages_support_stays_as_it_is(draft: str) -> None:
    assert text_of(draft) == draft


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ("The Rhine is 1,233 km long [1, 2].", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long[1][9].", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long. [1]", "The Rhine is 1,233 km long. [1]"),
        ("The Rhine is 1,233 km long ([1]).", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long [1-3].", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long 【1】.", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long [Passage 1] and [2].", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long [1]. The Elbe is shorter [2].", "The Rhine is 1,233 km long [1]."),
        ("The Rhine is 1,233 km long [1]. The Elbe is shorter.", "The Rhine is 1,233 km long [1]."),
        ("The Rhine rises in the Alps. The Rhine is 1,233 km long [1].",) * 2,
        ("Reasons:\nThe Elbe is short [1].\nThe Rhine is 1,233 km long [1].", "The Rhine is 1,233 km long [1]."),
    ],
)
def test_what_they_do_not_support_goes(draft: str, expected: str) -> None:
    assert text_of(draft) == expected


@pytest.mark.parametrize(
    "draft",
    [
        "",
        "   ",
        "The Rhine is 1,233 km long.",
        "The Rhine is 1,233 km long [4].",
        "The Rhine is 1,233 km long [0].",
        "The Rhine is 1,233 km long [2].",
        "The Rhine is 1,320 km long [1].",
        "“The Rhine is 1,233 km short.” [1]",
        'The Rhine "rises in the Jura" and flows to the North Sea [1].',
        "“2021 | 22 | 4.1 … Year | Units | Profit” [3]",
        "Yes [1].",
        "[1]",
        "[1][2][3]",
        "“the” [1]",
        "rivers.txt [1]",
    ],
)
def test_without_a_mark_that_holds_nothing_is_found(draft: str) -> None:
    answer = check_citations(AnswerDraft(draft), PASSAGES, max_citations=5)
    assert (answer.text, answer.cited, answer.found) == (NOT_FOUND, (), False)


def test_no_passages_no_answer() -> None:
    assert not check_citations(AnswerDraft("The Rhine is long [1]."), [], max_citations=5).found


def test_a_citation_names_its_passage_and_the_part_that_supports_it() -> None:
    answer = check_citations(
        AnswerDraft("Lake Constance covers 536 square kilometres [2]. The Rhine is 1233 km long [1]."),
        PASSAGES,
        max_citations=5,
    )
    assert [(cited.mark, cited.passage, cited.excerpt) for cited in answer.cited] == [
        (2, LAKES, "Lake Constance covers 536 square kilometres."),
        (1, RIVERS, "The Rhine is 1,233 km long."),
    ]


def test_an_excerpt_takes_in_all_the_sentences_that_a_statement_needs() -> None:
    answer = check_citations(AnswerDraft("The Rhine, 1,233 km long, rises in the Alps [1]."), PASSAGES, max_citations=5)
    assert answer.cited[0].excerpt == RIVERS.text


def test_an_excerpt_of_a_table_is_the_row() -> None:
    answer = check_citations(AnswerDraft("“Year | Units | Profit … 2021 | 22 | 4.1” [3]"), PASSAGES, max_citations=5)
    assert answer.cited[0].excerpt in ("2021 | 22 | 4.1", "Year | Units | Profit 2020 | 15 | 3.5 2021 | 22 | 4.1")


def test_an_excerpt_has_at_most_500_characters() -> None:
    long = passage(" ".join(f"word{n}" for n in range(400)))
    answer = check_citations(AnswerDraft("It says word1 word2 word200 word399 [1]."), [long], max_citations=5)
    assert 0 < len(answer.cited[0].excerpt) <= 500


def test_beyond_the_limit_marks_are_left_out_and_statements_stay() -> None:
    draft = "The Rhine is 1,233 km long [1]. Lake Constance covers 536 square kilometres [2]."
    assert text_of(draft, most=1) == "The Rhine is 1,233 km long [1]. Lake Constance covers 536 square kilometres."
    assert marks_of(draft, most=1) == [1]


def test_a_document_s_name_and_headings_are_known() -> None:
    found = passage("Profit was 4 million.", name="Acme report.pdf", heading="Year 2021")
    answer = check_citations(AnswerDraft("Acme's profit in 2021 was 4 million [1]."), [found], max_citations=5)
    assert answer.found
    assert answer.cited[0].excerpt == "Profit was 4 million."


def test_a_quotation_below_its_heading_denies_no_more_than_the_passage_does() -> None:
    text = "# Tax rate\nWinners pay 25 % of their prizes. Prizes of a state lottery are not taxed."
    found = passage(text, heading="Prizes > State lottery", title="Can't win them all?")

    def holds(draft: str) -> bool:
        return check_citations(AnswerDraft(draft), [found], max_citations=5).found

    for heading in ("State lottery: ", "Prizes: ", "Tax rate: ", "Can't win them all: ", ""):
        assert holds(f"{heading}\u201cWinners pay 25 % of their prizes.\u201d [1]")
    assert not holds("It is not so that \u201cWinners pay 25 % of their prizes.\u201d [1]")
    assert not holds("State lottery: \u201cWinners pay 30 % of their prizes.\u201d [1]")


def test_a_quotation_of_several_sentences_is_checked_as_one() -> None:
    altered = "“The Rhine is 1,233 km long. It rises in the Jura and flows to the North Sea.” [1]"
    assert text_of(altered) == NOT_FOUND
    whole = "“The Rhine is 1,233 km long. It rises in the Alps and flows to the North Sea.” [1]"
    assert text_of(whole) == whole


def test_quotation_marks_white_space_and_brackets_may_differ() -> None:
    found = passage("He said:  “It\nworks”[2] \u2013 at last [citation needed].")
    draft = '“He said: "It works"(2) - at last (citation needed)” [1]'
    assert check_citations(AnswerDraft(draft), [found], max_citations=5).text == draft


def test_a_mark_in_the_draft_s_quotation_proves_nothing() -> None:
    assert marks_of("“The Rhine is 1,233 km long [2].”") == []


def test_other_scripts_are_compared_too() -> None:
    found = passage("東京は日本の首都です。人口は約1400万人です。")
    assert check_citations(AnswerDraft("東京は日本の首都です[1]。"), [found], max_citations=5).found
    assert not check_citations(AnswerDraft("大阪は関西の中心です[1]。"), [found], max_citations=5).found


def test_marks_that_are_left_name_citations() -> None:
    draft = "The Rhine is 1,233 km long [[1]2]. Lake Constance covers 536 square kilometres [2] [ 3 ]."
    answer = check_citations(AnswerDraft(draft), PASSAGES, max_citations=1)
    assert re.findall(r"\[\s*(\d+)\s*\]", answer.text) == ["1"]


@pytest.mark.parametrize(
    ("text", "wanted", "at"),
    [("cathedral", "cat", -1), ("cathedral cat", "cat", 10), ("concat", "cat", -1), ("", "cat", -1)],
)
def test_words_are_not_found_within_words(text: str, wanted: str, at: int) -> None:
    assert _find(text, wanted, 0) == at


@pytest.mark.parametrize("header", ["No. | Action | Owner", "Action | Not done by"])
def test_a_row_is_supported_whatever_the_words_of_its_header_deny(header: str) -> None:
    table = f"{header}\nB4 | Order chairs | Ada Byron\nB5 | Paint the wall | Grace Hopper"
    draft = AnswerDraft(f"New actions: \u201c{header} \u2026 B5 | Paint the wall | Grace Hopper\u201d [1]")
    answer = check_citations(draft, [passage(table, heading="Meeting > New actions")], max_citations=5)
    assert answer.text == draft.text


def test_a_list_is_supported_where_one_of_its_items_denies() -> None:
    text = "1. Stay calm and do not force the doors.\n2. Press the button with the bell.\n3. Wait for help."
    draft = AnswerDraft(f"Emergencies: \u201c{' '.join(text.split())}\u201d [1]")
    assert check_citations(draft, [passage(text)], max_citations=5).text == draft.text


@pytest.mark.parametrize(
    ("draft", "told"),
    [
        (f"{RHINE} [1].\n{QUOTED} [2]\n{ALPS} [1]", f"{RHINE} [1].\n{ALPS} [1]"),
        (f"{RHINE} [1].\n{ALPS} [2]", f"{RHINE} [1]."),
        (f"{RHINE} [1].\n{ALPS}", f"{RHINE} [1].\n{ALPS} [1]"),
        (f"{RHINE} [1].\nOf the lake: {QUOTED} [2]", f"{RHINE} [1]."),
        (
            f"{RHINE} [1].\nThe lake covers 536 square kilometres [2].",
            f"{RHINE} [1].\nThe lake covers 536 square kilometres.",
        ),
    ],
)
def test_no_quotation_stands_without_a_mark(draft: str, told: str) -> None:
    assert text_of(draft, most=1) == told
