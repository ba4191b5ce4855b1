"""Terms in texts that every tokenizer cuts at the spaces."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.milvus.schema import MAX_LENGTHS, TERMS
from modulo.adapters.milvus.terms import encoded, languages, sought_terms, stored_terms
from modulo.domain.documents.chunk import Chunk


def chunk(text: str, heading: str = "") -> Chunk:
    return Chunk(0, text, 1, 0, len(text), heading)


GERMAN = "Die Häuser der Stadt sind nicht mit den Straßen zu verwechseln, sagte der Bürgermeister."
ENGLISH = "The houses of the city are not to be confused with its streets, said the mayor."


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_term_is_one_word_to_any_tokenizer_and_no_other_s(one: str, other: str) -> None:
    assert re.findall(r"\w+", encoded(one).lower()) == [encoded(one)]
    assert encoded(one).isascii()
    well_formed = all(letter < "\ud800" or letter > "\udfff" for letter in one + other)
    assert not well_formed or (encoded(one) == encoded(other)) == (one == other)


def test_plain_terms_stay_readable() -> None:
    assert encoded("ab1077") == "ab1077"
    assert encoded("0x1f") == "0x" + b"0x1f".hex()
    assert encoded("c++") == "0x632b2b"


def test_headings_are_found_and_words_by_their_stems() -> None:
    assert stored_terms(chunk("It runs quickly.", "Running > Engines"), "en").split() == [
        "run",
        "engin",
        "run",
        "quick",
    ]
    assert set(sought_terms("the engine's running").split()) >= {"engin", "run"}
    assert stored_terms(chunk("Häuser"), "de") == sought_terms("Wie groß sind die Häuser in der Stadt?").split()[1]


def test_a_question_of_no_clear_language_finds_texts_of_several() -> None:
    sought = set(sought_terms("Häuser houses").split())
    assert set(stored_terms(chunk("Häuser"), "de").split()) | set(stored_terms(chunk("houses"), "en").split()) <= sought


def test_a_term_is_sought_once() -> None:
    assert sought_terms("torque torque TORQUE") == "torqu torque"


@pytest.mark.parametrize("question", ["", "   ", "?!", "the of and"])
def test_a_question_without_terms_seeks_none(question: str) -> None:
    assert sought_terms(question) == ""


def test_a_chunk_that_does_not_tell_its_language_has_that_of_the_one_before() -> None:
    assert list(languages(map(chunk, ["4,711", GERMAN, "4,711", ENGLISH, "x"]))) == ["en", "de", "de", "en", "en"]


def test_terms_keep_to_their_field() -> None:
    found = stored_terms(chunk("чемодан " * 5_000), "ru")
    assert MAX_LENGTHS[TERMS] - 100 < len(found) <= MAX_LENGTHS[TERMS]
    assert set(found.split()) == {encoded("чемода")} or len(set(found.split())) == 1
