"""The benchmark of answers from tables: its questions, and up to where it follows a row."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.table_answers import ALL_QUESTIONS, HALVES, CellQuestion, cell_questions, main, stages
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.domain.answer import Answer, CitedPassage
from tests.unit.passages import passage

DOCUMENT = "| | 2019 |\n|---|---|\n| Revenue | $ 1,400 |\n| Costs | 20 |\n\nIt was a good year."
TABLE = "| 2019\nRevenue | $ 1,400\nCosts | 20"
QUOTE = "\u201c| 2019 \u2026 Revenue | $ 1,400\u201d [{}]"


def question(answer: str) -> GoldenQuestion:
    return GoldenQuestion(id="1", question="What was the revenue?", documents={"t0.md": 1}, answers=(answer,))


def asked(tmp_path: Path, *answers: list[str], kind: str = "span") -> list[CellQuestion]:
    questions = [
        {"uid": str(n), "question": "What?", "answer": answer, "answer_type": kind} for n, answer in enumerate(answers)
    ]
    (tmp_path / "tatqa").mkdir()
    (tmp_path / "tatqa" / ALL_QUESTIONS).write_text(json.dumps([{"questions": questions}]))
    return cell_questions(tmp_path, {"t0.md": DOCUMENT})


def test_missing_data_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    assert "Name the folder with --data or MODULO_EVALUATION_DATA." in capsys.readouterr().err


def test_questions_are_those_that_one_cell_other_than_a_year_answers(tmp_path: Path) -> None:
    found = asked(tmp_path, ["1,400"], ["a good year"], ["2019"], ["Costs"], ["Revenue", "Costs"], ["-"])
    assert [one.asked.id for one in found] == ["0", "3"]
    assert [[row[0] for row in one.rows] for one in found] == [["Revenue"], ["Costs"]]
    assert {one.half for one in found} <= set(HALVES)


def test_only_spans_are_asked_for(tmp_path: Path) -> None:
    assert asked(tmp_path, ["1,400"], kind="arithmetic") == []


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
