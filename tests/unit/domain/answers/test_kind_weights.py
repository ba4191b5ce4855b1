"""What extracts gain that tell the kind of thing which is asked for."""

import pytest

from modulo.domain.answers.extracts import extracts
from modulo.domain.answers.kind_weights import (
    CAUSE_WEIGHT,
    FIGURE_WEIGHT,
    LIMIT_WEIGHT,
    asked_kind,
)
from tests.unit.passages import passage


@pytest.mark.parametrize(
    ("question", "text", "weight"),
    [
        ("Why is the gate closed?", "The gate is closed because it rusts.", CAUSE_WEIGHT),
        ("When is the gate closed?", "The gate is closed at noon.", FIGURE_WEIGHT),
        ("What is the maximum load?", "The load is at most 80 kg.", LIMIT_WEIGHT),
        ("Welche Last ist maximal erlaubt?", "Die Last darf 80 kg nicht übersteigen.", LIMIT_WEIGHT),
        ("How many guests may come at most?", "Up to six guests may come.", FIGURE_WEIGHT + LIMIT_WEIGHT),
        ("Where is the gate?", "The gate closes at noon because it rusts.", 0),
    ],
)
def test_each_kind_has_its_weight(question: str, text: str, weight: float) -> None:
    [one] = extracts(question, [passage(text)])
    assert asked_kind(question).weight_of(one) == weight


def test_a_row_tells_a_limit_by_its_name() -> None:
    question = "What is the maximum load?"
    rows = extracts(question, [passage("Shelf | Maximum load\nNorth | up to 80 kg\nSouth | up to 20 kg")])
    assert not any(map(asked_kind(question).limit_told_by, rows))
