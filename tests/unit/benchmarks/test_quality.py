"""The benchmark of quality: what it says of its data, and how it compares two runs."""

from pathlib import Path

import pytest

from benchmarks.quality import SetResult, compare, main, summary, table

HALF = [(1.0, 1.0), (0.0, 1.0)] * 20
BETTER = [(1.0, 1.0), (0.5, 1.0)] * 20


def test_missing_data_are_told_with_where_they_belong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--sets", "scifact"]) == 2
    assert "Name the folder with --data or MODULO_EVALUATION_DATA." in capsys.readouterr().err
    assert main(["--data", str(tmp_path), "--sets", "msmarco"]) == 2
    assert "There is no set 'msmarco'; there are scifact, " in capsys.readouterr().err


def test_a_summary_says_how_far_ahead_the_pipeline_is() -> None:
    systems = {"BM25": {"document_ndcg@10": HALF}, "reranked": {"document_ndcg@10": BETTER}, "answers": {}}
    found = summary(SetResult({"documents": 3}, ["a"], systems))
    assert found["documents"] == 3
    assert found["systems"]["reranked"]["document_ndcg@10"]["value"] == 0.75
    assert found["reranked_ahead_in_document_ndcg@10"]["BM25"]["value"] == 0.25
    assert list(found["reranked_ahead_in_document_ndcg@10"]) == ["BM25"]


def test_two_runs_are_compared_where_they_asked_the_same() -> None:
    def details(question: str = "a", **measures: list[tuple[float, float]]) -> dict[str, object]:
        return {"squad": {"ids": [question], "systems": {"reranked": measures}}}

    rows = compare(details(mrr=HALF, ndcg=HALF), details(mrr=BETTER, more=HALF))
    assert len(rows) == 3
    assert rows[2].startswith("| squad | reranked | mrr | 40 | 0.500 | 0.750 | +0.250 (")
    assert compare({}, details(mrr=HALF))[2:] == []
    assert compare(details(mrr=HALF), details("b", mrr=HALF))[2:] == []


def test_the_table_has_a_row_for_each_set_and_what_others_published() -> None:
    systems = {name: {"document_ndcg@10": HALF} for name in ("BM25", "dense", "RRF", "words alone", "first stage")}
    systems["reranked"] = {"document_ndcg@10": BETTER}
    rows = table({"sets": {"squad": summary(SetResult({"documents": 1216}, ["a"], systems))}})
    assert rows[2].startswith("| squad | 1,216 | 40 | 0.500 | 0.500 | 0.500 | 0.500 | 0.500 | 0.750 | +0.250 (")
    assert len({row.count("|") for row in rows[:3]}) == 1
    assert any("OpenAI file search 0.717" in row for row in rows[3:])
