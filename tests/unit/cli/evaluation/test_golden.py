"""Golden sets: what is read, and how a bad line is told."""

import json
from pathlib import Path

import pytest

from modulo.cli.evaluation.golden import MAX_LINE_BYTES, SAMPLES, InvalidGoldenSet, read_golden_set


def written(folder: Path, *lines: bytes | str) -> Path:
    path = folder / "golden.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return path


def test_a_question_is_read_with_all_that_is_known_about_it(tmp_path: Path) -> None:
    given = {"id": "a", "question": " How? ", "documents": ["x.md", "y.md"], "passages": ["so"], "answers": ["thus"]}
    [found] = read_golden_set(written(tmp_path, json.dumps(given)))
    assert (found.id, found.question, found.unanswerable) == ("a", "How?", False)
    assert (found.documents, found.passages, found.answers) == ({"x.md": 1, "y.md": 1}, ("so",), ("thus",))


def test_documents_may_have_grades_and_lines_may_be_blank_or_without_an_id(tmp_path: Path) -> None:
    first, second = '{"question": "A?", "documents": {"x.md": 2}}', '{"question": "B?", "unanswerable": true}'
    found = read_golden_set(written(tmp_path, b"\xef\xbb\xbf" + first.encode(), "", second, ""))
    assert [one.id for one in found] == ["1", "3"]
    assert found[0].documents == {"x.md": 2}
    assert found[1].unanswerable


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[1]", "a line holds one JSON object"),
        (b"\xff", "the line is not UTF-8"),
        ("[" * 100_000, "not JSON that can be read: it is nested too deeply"),
        ("{}", "question: is required"),
        ('{"question": "A?"}', "name documents, passages or answers, or say that it is unanswerable"),
        ('{"question": " ", "unanswerable": true}', "question: must not be empty"),
        ('{"question": "A?", "answers": ["x"], "unanswerable": true}', "an unanswerable question has no documents"),
        ('{"question": "A?", "answer": "x", "unanswerable": true}', "answer: is not known here: check its spelling"),
        ('{"question": "A?", "answers": [1]}', "answers.0: must be a text"),
        ('{"question": "A?", "documents": {"x.md": 0}}', "documents.x.md: must be at least 1"),
        ('{"question": "A?", "documents": [1]}', "documents: must be an object"),
        ('{"question": "A?", "documents": {"x.md": "2"}}', "documents.x.md: must be a whole number"),
        ('{"question": "A?", "answers": ["\u2026 !"]}', "answers.0: holds no letter and no digit"),
        (
            '{"question": "A?", "answers": ["x"], "passages": ["\U0001f642"]}',
            "passages.0: holds no letter and no digit",
        ),
        ('{"question": "A?", "unanswerable": "yes"}', "unanswerable: must be true or false"),
        ('{"question": "A?", "unanswerable": true, "id": "1"}', "the id '1' is taken by an earlier line"),
        (b" " * (MAX_LINE_BYTES + 1) + b"x", "the line is longer than 1,000,000 bytes"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_field(tmp_path: Path, line: bytes | str, told: str) -> None:
    path = written(tmp_path, '{"question": "A?", "answers": ["x"]}', line)
    with pytest.raises(InvalidGoldenSet) as raised:
        read_golden_set(path)
    assert f"{path}:2: {told}" in raised.value.detail


def test_all_bad_lines_are_told_and_only_the_first_ten_are_shown(tmp_path: Path) -> None:
    with pytest.raises(InvalidGoldenSet) as raised:
        read_golden_set(written(tmp_path, *["{}"] * 12))
    assert raised.value.detail.count("is required") == 10
    assert raised.value.detail.endswith("and 2 more lines")


def test_a_file_without_questions_or_none_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidGoldenSet, match="holds no question"):
        read_golden_set(written(tmp_path, "", " "))
    with pytest.raises(InvalidGoldenSet, match="No such file"):
        read_golden_set(tmp_path / "missing.jsonl")
    with pytest.raises(InvalidGoldenSet, match="Is a directory"):
        read_golden_set(tmp_path)


def test_the_golden_set_of_the_samples_names_only_samples() -> None:
    questions = read_golden_set(SAMPLES)
    names = {path.name for path in (SAMPLES.parents[1] / "samples").iterdir()}
    assert set().union(*(one.documents for one in questions)) == names
    assert sum(one.unanswerable for one in questions) >= 10
