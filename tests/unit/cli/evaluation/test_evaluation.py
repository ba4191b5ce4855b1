"""An evaluation of two runs: figures, table and chart."""

import json
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from modulo.cli.evaluation.chart import render
from modulo.cli.evaluation.evaluation import Evaluation, Run, percentile
from modulo.cli.evaluation.found import Found, FoundPassage
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.missing import Missing
from modulo.cli.evaluation.report import print_evaluation
from modulo.cli.evaluation.searches import Setup

QUESTIONS = [
    GoldenQuestion(id="a", question="A?", documents={"a.md": 1}, answers=("ten",)),
    GoldenQuestion(id="b", question="B?", documents={"b.md": 1}, answers=("nine",)),
    GoldenQuestion(id="c", question="C?", unanswerable=True),
]
A, B = (FoundPassage("", frozenset((name,)), name) for name in ("a.md", "b.md"))
BEFORE = [
    Found([B, A], [B], "nine [1]", answered=True, confidence=0.6, seconds=2, stage_seconds={"rerank": 1.0}),
    Found([B], [B], "nine [1]", answered=True, confidence=0.8, seconds=9, cached=True, stage_seconds={"cache": 5.0}),
    Found([A], [A], "ten [1]", answered=True, confidence=0.7, seconds=4, tokens=3, degraded=("reranker",)),
]
AFTER = [
    Found([A, B], [A], "ten [1]", answered=True, confidence=0.9, seconds=1),
    Found([B], [B], "nine [1]", answered=True, confidence=0.8, seconds=1),
    Found([A], [], "not found", answered=False, seconds=1),
]
TWO = Evaluation(
    QUESTIONS, [Run(Setup("old <1>", "x", {}), BEFORE), Run(Setup("[new]", "y", {"top_k": 5}), AFTER)], resamples=300
)
ONE = Evaluation(QUESTIONS, TWO.runs[:1], resamples=300)


def test_figures_of_a_run() -> None:
    [run] = ONE.as_json()["runs"]
    assert run["measures"]["answer_holds_gold"]["value"] == 0.5
    assert run["measures"]["refusal_recall"]["value"] == 0
    assert run["seconds"] == {"p50": 2, "p95": 4}
    assert (run["cached"], run["tokens"], run["degraded"]) == (1, 3, {"reranker": 1})
    assert run["stage_seconds"] == {"rerank": 0.5}
    assert [point["risk"] for point in run["risk_coverage"]] == pytest.approx([0, 1 / 2, 2 / 3])
    assert [reply["id"] for reply in run["replies"]] == ["a", "b", "c"]
    assert run["replies"][0]["measures"]["document_mrr@10"] == 0.5
    assert ONE.differences() == {}


def test_two_runs_are_compared_measure_by_measure() -> None:
    found = TWO.as_json()
    assert found["differences"]["answer_holds_gold"]["value"] == 0.5
    assert found["differences"]["refusal_f1"]["value"] == 1
    assert "refusal_precision" not in found["differences"]  # the first run refused nothing
    json.dumps(found)


def test_what_a_collection_lacks_is_told_with_the_figures() -> None:
    run = Run(Setup("demo", "x", {}), AFTER, Missing(documents=["b.md"]))
    evaluation = Evaluation(QUESTIONS, [run], resamples=300)
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        print_evaluation(evaluation, console)
    assert "demo: the golden set names 1 document that the collection does not have: b.md\n" in captured.get()
    [told] = evaluation.as_json()["runs"]
    assert told["missing"]["documents"] == {"count": 1, "items": ["b.md"]}
    assert ONE.as_json()["runs"][0]["missing"]["documents"]["count"] == 0


def test_a_percentile_is_of_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 21)]
    assert (percentile(values, 0.5), percentile(values, 0.95), percentile([], 0.5)) == (10, 19, None)


@pytest.mark.parametrize("evaluation", [ONE, TWO])
def test_the_table_names_runs_and_measures(evaluation: Evaluation) -> None:
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        print_evaluation(evaluation, console)
    text = captured.get()
    assert "3 questions, of which 1 are unanswerable" in text
    assert all(run.setup.name in text for run in evaluation.runs)
    assert "document_ndcg@10" in text
    assert "passage_mrr@10" not in text
    assert "old <1>: 1 replies were given without the reranker." in text
    assert ("+0.500" in text) is (evaluation is TWO)


@pytest.mark.parametrize("evaluation", [ONE, TWO])
def test_the_chart_is_an_image_with_a_curve_for_each_run(evaluation: Evaluation) -> None:
    drawn = ET.fromstring(render(evaluation, title="a < b"))
    curves = [one for one in drawn.iter() if one.tag.endswith("polyline")]
    assert len(curves) == len(evaluation.runs)
    texts = [one.text for one in drawn.iter() if one.tag.endswith("text")]
    assert {"a < b", "old <1>", "answer_holds_gold"} <= set(texts)


def test_a_run_of_passages_only_has_no_curve() -> None:
    run = Run(Setup("demo", "x", {}), [Found([A]), Found([B]), Found()])
    evaluation = Evaluation(QUESTIONS, [run], resamples=300)
    assert "polyline" not in render(evaluation, title="")
    console = Console(width=200)
    with console.capture() as captured:
        print_evaluation(evaluation, console)
    assert "area under risk-coverage │" in " ".join(captured.get().split()).replace("  ", " ")
