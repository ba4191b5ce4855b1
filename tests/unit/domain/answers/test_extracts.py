"""Extracts: what may be quoted, and what is quoted with it."""

import pytest

from modulo.domain.answers.extract_text import MAX_WORDS
from modulo.domain.answers.extracts import asks_why, extracts, spelled_like
from tests.unit.passages import passage

PARTS = "part | size | hall\nAB-1076 | 6 | 1\nAB-1077 | 0 | 2\nAB-1078 | 1 | 3"
VERSIONS = "Version 3.1.1\n\nThis version fixes bug 11.\n\nVersion 3.1.2\n\nThis version fixes bug 12."


def texts(question: str, *found: str, heading: str = "") -> list[str]:
    return [one.text for one in extracts(question, [passage(text, heading=heading) for text in found])]


def test_a_row_is_quoted_with_its_header_and_only_where_it_holds_the_code() -> None:
    assert texts("Where is part AB-1077 stored?", PARTS) == ["\u201cpart | size | hall \u2026 AB-1077 | 0 | 2\u201d"]
    assert texts("Where is part AB1077 stored?", PARTS) == texts("Where is AB 1077?", PARTS)
    assert texts("Where is part AB-2000 stored?", PARTS) == []


def test_a_sentence_is_quoted_with_its_heading_which_may_hold_the_code() -> None:
    assert texts("Which bug does version 3.1.2 fix?", VERSIONS) == [
        "Version 3.1.2: \u201cThis version fixes bug 12.\u201d"
    ]
    assert texts("Which version fixes bug 11?", VERSIONS) == ["Version 3.1.1: \u201cThis version fixes bug 11.\u201d"]


def test_a_number_may_stand_earlier_in_the_passage_where_no_sentence_has_it() -> None:
    text = "In 2019 the firm grew. Somebody hired 40 people."
    assert texts("Whom did it hire in 2019?", text) == ["\u201cIn 2019 the firm grew.\u201d"]
    assert texts("What happened in 2019, when 40 came?", text) == ["\u201cSomebody hired 40 people.\u201d"]
    assert texts("What happened in 2018?", text) == []
    assert texts("What were sales in 2018?", "Year | Sold\n2018 | 3\n2019 | 4") == [
        "\u201cYear | Sold \u2026 2018 | 3\u201d"
    ]


def test_a_year_may_stand_elsewhere_where_a_table_names_none_for_a_row() -> None:
    rows = "Awards | Shares\nHeld in May 2018 | 9\nGranted | 4\nHeld in May 2019 | 13"
    question = "How many awards were granted in 2019?"
    assert texts(question, rows) == [
        "\u201cAwards | Shares \u2026 Granted | 4\u201d",
        "\u201cAwards | Shares \u2026 Held in May 2019 | 13\u201d",
    ]
    assert texts(question, "Awards | Shares\nGranted | 4\nHeld | 13", rows)[0].startswith("\u201cAwards | Shares")
    assert texts("How many were granted in 2017?", rows) == []
    assert texts("How many were granted in 2019?", "Awards | 2018\nGranted | 4\n\nIn 2019 it changed.") == [
        "\u201cIn 2019 it changed.\u201d"
    ]
    assert texts("Who holds number 13 of the granted?", rows) == [
        "\u201cAwards | Shares \u2026 Held in May 2019 | 13\u201d"
    ]


def test_a_passage_without_the_name_holds_no_extract() -> None:
    assert texts("What did Ada write?", "Grace wrote a compiler.", "It was Ada who wrote notes.") == [
        "\u201cIt was Ada who wrote notes.\u201d"
    ]


def test_a_row_knows_what_it_is_about() -> None:
    text = "| 2019 | 2018\nSolutions | |\nSensors | 914 | 918"
    [row] = extracts("sensors", [passage(text)])
    assert row.row_words == {"solution", "sensor"}
    [numbers] = extracts("2019", [passage("Year | Sold\n2019 | 3")])
    assert numbers.row_words == frozenset()


@pytest.mark.parametrize("question", ["Why did it fail?", "What caused the outage?", "Warum?", "Pourquoi ?"])
def test_questions_for_causes_are_told(question: str) -> None:
    assert asks_why(question)
    assert not asks_why("When did it fail?")


def test_sentences_that_state_causes_are_told() -> None:
    found = extracts("failure", [passage("The failure lasted. The failure was caused by rain.")])
    assert [one.tells_why for one in found] == [False, True]


def test_a_typing_error_is_spelled_as_the_passages_do() -> None:
    text = "The warranty lasts two years."
    assert spelled_like("How long is the warrenty?", [text]) == "How long is the warranty?"
    assert spelled_like("How long is the zeppelin?", [text]) == "How long is the zeppelin?"


def test_a_list_below_a_heading_is_quoted_as_a_whole_too() -> None:
    text = "Repair\n\n1. Stop it.\n2. Open it."
    assert texts("steps", text)[-1] == "Repair: \u201c1. Stop it. 2. Open it.\u201d"


def test_a_version_is_one_of_the_shorter_one() -> None:
    assert texts("What is new in version 6.2?", "6.2.1 (May)\n\nIt has a map.\n\n6.3.0 (June)\n\nIt has a clock.") == [
        "6.2.1 (May): \u201cIt has a map.\u201d"
    ]


def scored(question: str, text: str, *, heading: str) -> list[str]:
    return [one.scored_text for one in extracts(question, [passage(text, name="lease-hill.md", heading=heading)])]


def test_a_part_of_several_sections_is_read_below_its_document_where_the_question_says_that() -> None:
    clauses = "Term\n\nIt runs for three years.\n\nNotice\n\nIt is six months."
    expected = ["lease hill\nTerm\nIt runs for three years.", "lease hill\nNotice\nIt is six months."]
    assert scored("What is the notice of the hill lease?", clauses, heading="") == expected
    assert scored("What is the notice?", clauses, heading="") == [one.split("\n", 1)[1] for one in expected]
    assert scored("the lease", "It is low.", heading="Lease > Fees") == ["lease hill\nFees\nIt is low."]
    assert scored("the lease", "It is low.", heading="Lease") == ["Lease\nIt is low."]


def test_a_heading_tells_the_cause_too() -> None:
    told = extracts("Why did it fail?", [passage("Root cause\n\nA disk was full.\n\nOutcome\n\nIt was mended.")])
    assert [(one.text, one.tells_why) for one in told] == [
        ("Root cause: \u201cA disk was full.\u201d", True),
        ("Outcome: \u201cIt was mended.\u201d", False),
    ]


def test_an_extract_covers_a_question_whose_words_all_stand_in_it_or_above_it() -> None:
    rows = "Product | State\nSoup | new\nRice | old"
    assert [one.is_covering for one in extracts("Which products are old?", [passage(rows)])] == [False, True]
    assert not any(one.is_covering for one in extracts("old?", [passage(rows)]))  # a word says too little


def test_a_sentence_that_points_back_stands_behind_the_one_it_points_to() -> None:
    text = "Maintenance is announced. It takes place on Sundays. It is short.\n\nThe office is open."
    assert texts("When is maintenance?", text) == [
        "\u201cMaintenance is announced.\u201d",
        "\u201cMaintenance is announced. It takes place on Sundays.\u201d",
        "\u201cMaintenance is announced. It takes place on Sundays. It is short.\u201d",
        "\u201cThe office is open.\u201d",
    ]


def test_but_not_behind_another_section_or_a_row_or_where_it_gets_long() -> None:
    assert texts("it", "# A\n\nRain falls.\n\n# B\n\nIt is wet.")[1] == "B: \u201cIt is wet.\u201d"
    assert texts("it", "Name | Size\nA | 5\nB | 6\n\nIt is wet.")[2] == "\u201cIt is wet.\u201d"
    assert texts("it", f"{'rain ' * MAX_WORDS}falls. It is wet.")[1] == "\u201cIt is wet.\u201d"
    assert texts("it", "Rain falls.\n\nDoes it rain?\n\nIt is wet.")[1] == "\u201cIt is wet.\u201d"


def test_what_a_code_means_is_told_by_a_row_a_definition_or_below_it() -> None:
    text = "After E-12 it restarts.\n\nE-12 means no water.\n\nAll is told.\n\nCode | State\nE-12 | dry\nE-13 | hot"
    assert texts("What does E-12 mean?", text) == [
        "\u201cE-12 means no water.\u201d",
        "\u201cAll is told. \u2026 Code | State \u2026 E-12 | dry\u201d",
    ]
    assert texts("What does E-12 mean?", "No water.", heading="E-12") == ["E-12: \u201cNo water.\u201d"]
    assert len(texts("When does E-12 appear?", text)) == 3


def test_a_number_may_lie_within_a_range() -> None:
    text = "More than 500 persons are a crowd. More than 1,000 persons are a mass."
    assert texts("What are 800 persons?", text) == ["\u201cMore than 500 persons are a crowd.\u201d"]
    assert texts("What were 800 persons in 2019?", text) == []


def test_rows_are_decided_on_by_their_table() -> None:
    table = "Course | Places\nYoga | 14\nJudo | 20\n\nFee | Sum\nYoga | 5\nJudo | 4"
    found = extracts("Which course has the most places?", [passage(table)])
    assert [one.quoted for one in found if one.is_decided] == ["Course | Places \u2026 Judo | 20"]


def test_a_sentence_with_its_own_subject_stands_alone_too() -> None:
    assert texts("What is lost?", "Five days can be carried over. Leave not taken by then is lost.") == [
        "\u201cFive days can be carried over.\u201d",
        "\u201cLeave not taken by then is lost.\u201d",
        "\u201cFive days can be carried over. Leave not taken by then is lost.\u201d",
    ]
