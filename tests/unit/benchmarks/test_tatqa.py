"""TAT-QA's own files: documents as the set has them, and the questions that a span answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality_sets import MissingData
from benchmarks.tatqa import OWN_FILES, read_split

CONTEXT: dict[str, Any] = {
    "table": {"table": [["", "2019"], ["Revenue", "$ 1,400"]]},
    "paragraphs": [{"order": 2, "text": "It grew."}, {"order": 1, "text": "In millions:"}],
    "questions": [
        {"uid": "a", "question": "What was the revenue?", "answer": ["1,400"], "answer_type": "span"},
        {"uid": "b", "question": "Which ones?", "answer": ["this", "that"], "answer_type": "multi-span"},
        {"uid": "c", "question": "How much more?", "answer": 3, "answer_type": "arithmetic"},
    ],
}


@pytest.mark.parametrize("name", OWN_FILES)
def test_contexts_become_documents_and_spans_questions(tmp_path: Path, name: str) -> None:
    (tmp_path / "tatqa").mkdir()
    (tmp_path / "tatqa" / OWN_FILES[name]).write_text(json.dumps([CONTEXT, CONTEXT]))
    split = read_split(tmp_path, name)
    assert list(split.documents) == ["t0.md", "t1.md"]
    assert split.documents["t0.md"] == "|  | 2019 |\n|---|---|\n| Revenue | $ 1,400 |\n\nIn millions:\n\nIt grew.\n"
    assert [(one.id, set(one.documents), one.answers) for one in split.questions] == [
        ("a", {"t0.md"}, ("1,400",)),
        ("a", {"t1.md"}, ("1,400",)),
    ]


def test_the_dev_split_may_come_from_the_sets_files(tmp_path: Path) -> None:
    folder = tmp_path / "tatqa"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "t0", "title": "", "text": "It grew."}))
    rows = [{"_id": "a", "text": "What?", "type": "span", "answer": ["It"], "from": "text"}]
    rows.append({**rows[0], "_id": "b", "answer": ["It", "grew"]})
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\na\tt0\t1\nb\tt0\t1\n")
    split = read_split(tmp_path, "dev")
    assert split.documents == {"t0.md": "It grew.\n"}
    assert [one.id for one in split.questions] == ["a"]
    with pytest.raises(MissingData, match="is not there"):
        read_split(tmp_path, "test")
