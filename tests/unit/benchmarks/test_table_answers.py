"""The benchmark of answers from tables: its questions, and up to where it follows a row."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.table_answers import HALVES, CellQuestion, by_part, cell_questions, compare, main, stages
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.domain.answers.answer import Answer, CitedPassage
from tests.unit.passages import passage

DOCUMENT = "| | 2019 |\n|---|---|\n| Revenue | $ 1,400 |\n| Costs | 20 |\n\nIt was a good year."
TABLE = "| 2019\nRevenue | $ 1,400\nCosts | 20"
QUOTE = "\u201c| 2019 \u2026 Revenue | $ 1,400\u201d [{}]"


def question(answer: str) -> GoldenQuestion:
    return GoldenQuestion(id="1", question="What was the revenue?", documents={"t0.md": 1}, answers=(answer,))


def asked(*answers: str) -> list[CellQuestion]:
    questions = [
        GoldenQuestion(id=str(n), question="What?", documents={"t0.md": 1}, answers=(answer,))
        for n, answer in enumerate(answers)
    ]
    return cell_questions(questions, {"t0.md": DOCUMENT})


def test_missing_data_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "Name the folder with --data or MODULO_EVALUATION_DATA." in capsys.readouterr().err


def test_questions_are_those_that_one_cell_other_than_a_year_answers() -> None:
    found = asked("1,400", "a good year", "2019", "Costs")
    assert [one.asked.id for one in found] == ["0", "3"]
    assert [[row[0] for row in one.rows] for one in found] == [["Revenue"], ["Costs"]]


def test_the_dev_split_has_halves_and_the_test_split_is_one_part() -> None:
    questions = [CellQuestion(question("1").model_copy(update={"documents": {f"t{n}.md": 1}}), []) for n in range(20)]
    added = [{"quoted": (1.0, float(n))} for n in range(20)]
    assert by_part("test", questions, added) == {"test": added}
    halves = by_part("dev", questions, added)
    assert set(halves) == set(HALVES)
    assert sorted(one["quoted"] for half in halves.values() for one in half) == [one["quoted"] for one in added]


def test_runs_are_compared_where_they_asked_the_same() -> None:
    before = {"ids": ["0", "1"], "parts": {"test": [{"quoted": [0, 1]}, {"quoted": [1, 1]}]}}
    after = {"ids": ["0", "1"], "parts": {"test": [{"quoted": [1, 1]}, {"quoted": [1, 1]}]}}
    *_, row = compare(before, after)
    assert row.startswith("| test | quoted | 2 | 0.500 | 1.000 | +0.500 (")
    assert compare(before, {**after, "ids": ["0"]}) == ["The earlier run asked other questions."]


def test_a_row_is_followed_to_the_answer() -> None:
    one = CellQuestion(question("1,400"), [["Revenue", "$ 1,400"]])
    right, wrong = passage(TABLE, name="t0.md"), passage(TABLE, name="t1.md")
    answer = Answer(QUOTE.format(2), (CitedPassage(2, right, ""),))
    whole = stages(one, [wrong, right], [wrong, right], ["Revenue; 2019: $ 1,400"], answer)
    assert all(value == (1.0, 1.0) for value in whole.values())
    none = stages(one, [wrong], [wrong], ["Costs; 2019: 20"], Answer("", ()))
    assert set(none.values()) == {(0.0, 1.0), (0.0, 0.0)}


def test_the_same_row_of_another_document_is_not_the_right_one() -> None:
    one = CellQuestion(question("1,400"), [["Revenue", "$ 1,400"]])
    right, wrong = passage(TABLE, name="t0.md"), passage(TABLE, name="t1.md")
    answer = Answer(QUOTE.format(1), (CitedPassage(1, wrong, ""),))
    found = stages(one, [wrong, right], [wrong, replace(right)], [], answer)
    assert (found["found"], found["kept"]) == ((1.0, 1.0), (1.0, 1.0))
    assert (found["quoted"], found["answer holds gold"]) == ((0.0, 1.0), (1.0, 1.0))
    assert found["citations of the right document"] == (0.0, 1.0)
