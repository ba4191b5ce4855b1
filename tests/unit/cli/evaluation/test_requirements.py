"""What a run must reach."""

from pathlib import Path

import pytest

from modulo.cli.evaluation.bootstrap import Estimate
from modulo.cli.evaluation.requirements import SAMPLES, InvalidRequirements, missed, read_requirements


def test_what_ci_requires_can_be_read() -> None:
    assert read_requirements(SAMPLES)


def test_a_measure_below_its_requirement_or_not_measured_is_told() -> None:
    measured = {"refusal_f1": Estimate(0.7, 0, 1, 9), "document_mrr@10": Estimate(0.9, 0, 1, 9)}
    required = {"refusal_f1": 0.8, "document_mrr@10": 0.9, "citation_recall": 0.5}
    assert missed(required, measured) == [
        "refusal_f1 is 0.700, 0.800 is required",
        "citation_recall was not measured, 0.500 is required",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "must be an object"),
        ('{"refusal_f1": 2}', "refusal_f1: must be at most 1"),
        ('{"accuracy": 0.5}', "there is no measure 'accuracy'"),
    ],
)
def test_bad_requirements_are_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "required.json"
    path.write_text(text)
    with pytest.raises(InvalidRequirements, match=told):
        read_requirements(path)
    with pytest.raises(InvalidRequirements, match="No such file"):
        read_requirements(tmp_path / "missing.json")
