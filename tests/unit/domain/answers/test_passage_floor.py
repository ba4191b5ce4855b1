"""Floors of passages: what a reranker has to find before a passage may answer."""

import pytest

from modulo.domain.answers.passage_floor import MEASURED, UNMEASURED, PassageFloor, floor_of
from modulo.domain.retrieval.relevance import probability
from modulo.domain.text.stemming import content_words
from tests.unit.passages import passage

WORDS = frozenset(content_words("How much rain falls in the mountains?"))
FLOOR = PassageFloor(-0.8, label_weight=10.0, most=3.0)


def passes(odds: float | None, heading: str = "", *, name: str = "p1.txt", floor: PassageFloor = FLOOR) -> bool:
    reranked = None if odds is None else probability(odds)
    found = passage("It is 900 mm.", name=name, heading=heading, reranked=reranked)
    read = passage("Snow lies deep.", reranked=0.1)
    return 1 in floor.passed_by([found, read], WORDS)


@pytest.mark.parametrize(
    ("heading", "floor"),
    [
        ("", -0.8),
        ("Clouds", -0.8),
        ("Rain", 1.7),  # a quarter of the question: rain, mountain, fall, much
        ("Rain > Clouds", 1.7),
        ("Clouds > Rain", -0.8),  # what the section tells
        ("Rain falls in mountains", 3.0),
        ("How much rain falls in the mountains?", -0.8),  # it heads its answer
    ],
)
def test_a_passage_needs_more_the_more_of_the_question_stands_above_it(heading: str, floor: float) -> None:
    assert FLOOR.of(passage("It is 900 mm.", name="p1.txt", heading=heading), WORDS) == floor
    assert passes(floor + 0.01, heading)
    assert not passes(floor - 0.01, heading)


def test_the_document_s_name_counts_as_well() -> None:
    assert passes(1.6, name="clouds.txt")
    assert not passes(1.6, name="rain.txt")


def test_of_a_model_whose_scale_is_not_known_every_passage_needs_the_same() -> None:
    for heading in ("", "Rain", "Rain falls in mountains"):
        assert passes(-0.4, heading, floor=floor_of("another"))
        assert not passes(-0.41, heading, floor=floor_of("another"))
    assert floor_of("another") is UNMEASURED


@pytest.mark.parametrize("model", MEASURED)
def test_a_measured_model_has_its_own(model: str) -> None:
    assert floor_of(model) is MEASURED[model]
    assert floor_of(model).least < floor_of(model).most


def test_all_may_answer_where_none_was_read_and_else_only_what_was() -> None:
    assert FLOOR.passed_by([passage("It is 900 mm."), passage("Snow lies.")], WORDS) == {1, 2}
    assert not passes(None)


def test_a_question_without_words_asks_for_no_more() -> None:
    assert FLOOR.of(passage("It is.", heading="Rain"), frozenset()) == FLOOR.least
