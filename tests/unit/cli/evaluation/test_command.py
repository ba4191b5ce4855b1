"""The options of `modulo eval`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modulo.cli.evaluation import EvaluationError
from modulo.cli.evaluation.command import draw, names, read_config, require_all
from modulo.cli.evaluation.golden import SAMPLES, read_golden_set
from modulo.cli.evaluation.missing import Missing
from modulo.cli.main import app


def test_a_configuration_is_a_json_object() -> None:
    assert read_config('{"top_k": 5}') == {"top_k": 5}
    with pytest.raises(EvaluationError, match="is not JSON"):
        read_config("{top_k: 5}")
    with pytest.raises(EvaluationError, match="is not a JSON object"):
        read_config("[]")


def test_setups_are_called_by_what_tells_them_apart() -> None:
    assert names([("demo", "{}")]) == ["demo"]
    assert names([("demo", "{}"), ("other", "{}")]) == ["demo", "other"]
    assert names([("demo", "{ }"), ("demo", '{"top_k": 5}')]) == ["default", '{"top_k": 5}']


def test_a_draw_is_the_same_for_a_seed_and_keeps_the_order() -> None:
    questions = read_golden_set(SAMPLES)
    assert draw(questions, None, 1) == draw(questions, 1_000, 1) == questions
    drawn = draw(questions, 5, 1)
    assert drawn == draw(questions, 5, 1) != draw(questions, 5, 2)
    assert [one for one in questions if one in drawn] == drawn


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["missing.jsonl"], "missing.jsonl cannot be read: No such file or directory."),
        (["--config", "{"], "is not JSON"),
        (["--require", "missing.json"], "missing.json cannot be read"),
        (["--json", "nowhere/x.json"], "nowhere/x.json cannot be written"),
        (["--chart", "."], ". cannot be written"),
        (["--url", "http://127.0.0.1:9/api"], "Give both --url and --key"),
        (["--url", "http://127.0.0.1:9/api", "--key", "k"], "does not answer"),
        (["--data", "nowhere"], "Modulo is not running on nowhere"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    options: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODULO_URL", raising=False)
    monkeypatch.delenv("MODULO_API_KEY", raising=False)
    done = CliRunner().invoke(app, ["eval", *options])
    assert done.exit_code == 1
    assert told in " ".join(done.stderr.split())


def test_the_samples_name_measures_that_ci_requires() -> None:
    assert json.loads(SAMPLES.with_name("samples.requirements.json").read_text())


def test_nothing_is_asked_where_collections_lack_what_the_questions_name() -> None:
    require_all({"demo": Missing()})
    lacking = {"demo": Missing(documents=["a.md"]), "other": Missing(), "third": Missing(not_ready={"b.md": "failed"})}
    with pytest.raises(EvaluationError) as told:
        require_all(lacking)
    assert str(told.value).splitlines() == [
        "demo: the golden set names 1 document that the collection does not have: a.md",
        "third: the golden set names 1 document not ready to be searched: b.md (failed)",
        "Such questions score 0: --allow-missing asks them all the same.",
    ]
