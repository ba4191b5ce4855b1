"""Floors of passages: what a reranker has to find before a passage may answer."""

import pytest

from modulo.domain.answers.passage_floor import MEASURED, UNMEASURED, floor_of
from modulo.domain.retrieval.relevance import probability
from modulo.domain.text.stemming import content_words
from tests.unit.passages import passage

WORDS = frozenset(content_words("How much rain falls in the mountains?"))
[MEASURED_FLOOR] = MEASURED.values()


def passes(odds: float | None, heading: str = "", *, name: str = "p1.txt", model: str = "") -> bool:
    reranked = None if odds is None else probability(odds)
    found = passage("It is 900 mm.", name=name, heading=heading, reranked=reranked)
    read = passage("Snow lies deep.", reranked=0.1)
    return 1 in floor_of(model or next(iter(MEASURED))).passed_by([found, read], WORDS)


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
    assert MEASURED_FLOOR.of(passage("It is 900 mm.", name="p1.txt", heading=heading), WORDS) == floor
    assert passes(floor + 0.01, heading)
    assert not passes(floor - 0.01, heading)


def test_the_document_s_name_counts_as_well() -> None:
    assert passes(1.6, name="clouds.txt")
    assert not passes(1.6, name="rain.txt")


def test_of_a_model_whose_scale_is_not_known_every_passage_needs_the_same() -> None:
    for heading in ("", "Rain", "Rain falls in mountains"):
        assert passes(-0.4, heading, model="another")
        assert not passes(-0.41, heading, model="another")
    assert floor_of("another") is UNMEASURED


def test_all_may_answer_where_none_was_read_and_else_only_what_was() -> None:
    assert MEASURED_FLOOR.passed_by([passage("It is 900 mm."), passage("Snow lies.")], WORDS) == {1, 2}
    assert not passes(None)


def test_a_question_without_words_asks_for_no_more() -> None:
    assert MEASURED_FLOOR.of(passage("It is.", heading="Rain"), frozenset()) == MEASURED_FLOOR.least
