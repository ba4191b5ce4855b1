"""The reading of evaluation sets."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality_sets import MissingData, read_set, tatqa_table_spans


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def beir(folder: Path, *queries: dict[str, Any], judgements: str) -> None:
    write(
        folder / "corpus.jsonl", {"_id": "1", "title": "T", "text": "One."}, {"_id": "2", "title": "", "text": "Two."}
    )
    write(folder / "queries.jsonl", *queries)
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judgements}")


def test_a_set_in_beirs_form(tmp_path: Path) -> None:
    queries = [{"_id": "a", "text": "A?", "answers": ["x", "x", " ", "."]}, {"_id": "b", "text": "B?"}]
    beir(tmp_path / "xquad-en", *queries, judgements="a\t2\t2\na\t1\t0\n")
    found = read_set(tmp_path, "xquad-en")
    assert found.documents == {"1.md": "# T\n\nOne.\n", "2.md": "Two.\n"}
    [question] = found.questions  # the other has no judgement
    assert (question.id, question.documents, question.answers) == ("a", {"2.md": 2}, ("x",))


def test_squad2_points_to_the_paragraphs_of_squad(tmp_path: Path) -> None:
    beir(tmp_path / "squad", judgements="")
    row = {"question": "A?", "context": "Two.", "answers": ["two"], "impossible": False}
    write(tmp_path / "squad2" / "dev_half.jsonl", {**row, "id": "a"}, {**row, "id": "b", "impossible": True})
    first, second = read_set(tmp_path, "squad2").questions
    assert (first.documents, first.answers, first.unanswerable) == ({"2.md": 1}, ("two",), False)
    assert (second.documents, second.answers, second.unanswerable) == ({}, (), True)


def test_equal_passages_of_clapnq_are_one_document(tmp_path: Path) -> None:
    row = {"id": "a", "input": "A?", "passages": [{"title": "T", "text": "One."}]}
    write(tmp_path / "clapnq" / "clapnq_dev_answerable.jsonl", row)
    write(tmp_path / "clapnq" / "clapnq_dev_unanswerable.jsonl", {**row, "id": "b"})
    found = read_set(tmp_path, "clapnq")
    assert found.documents == {"c0.md": "# T\n\nOne.\n"}
    assert [one.unanswerable for one in found.questions] == [False, True]


def test_only_spans_of_tatqa_have_answers(tmp_path: Path) -> None:
    span = {"_id": "a", "text": "A?", "answer": ["12"], "type": "span", "from": "table"}
    count = {"_id": "b", "text": "B?", "answer": 3, "type": "count", "from": "table"}
    beir(tmp_path / "tatqa", span, count, judgements="a\t1\t1\nb\t1\t1\n")
    assert [one.answers for one in read_set(tmp_path, "tatqa").questions] == [("12",), ()]
    assert tatqa_table_spans(tmp_path) == {"a"}


def test_a_sample_is_the_same_each_time_and_of_both_kinds(tmp_path: Path) -> None:
    beir(tmp_path / "squad", judgements="")
    rows = [
        {"id": str(n), "question": "?", "context": "Two.", "answers": ["two"], "impossible": n % 3 == 0}
        for n in range(30)
    ]
    write(tmp_path / "squad2" / "dev_half.jsonl", *rows)
    whole = read_set(tmp_path, "squad2")
    drawn = whole.sample(5)
    assert drawn == whole.sample(5)
    assert [one.unanswerable for one in drawn.questions] == [False] * 5 + [True] * 5
    assert whole.sample(None) is whole


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"scifact has neither qrels/test\.tsv nor qrels\.tsv"):
        read_set(tmp_path, "scifact")
    with pytest.raises(MissingData, match=r"clapnq_dev_answerable\.jsonl is not there"):
        read_set(tmp_path, "clapnq")
