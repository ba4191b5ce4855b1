import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.text.stemming import content_words, held

TEXTS = (
    "warranty Warranties warrant the of ai AI aim it's l\u2019air caf\u00e9 CAFE\u0301S \uff21\uff29 3.11 1,000 x",
    "\u4fdd\u4fee\u671f \u4fdd\u4fee abc\u4fdd\u4fee Stra\u00dfe STRASSEN ing sing singing _",
)
WORDS = st.lists(st.sampled_from([word for text in TEXTS for word in text.split()]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("All warranties last two years.", {"warrant", "year"}),
        ("A warrant for a year.", {"warrant", "year"}),
        ("An arrant knave.", set[str]()),
        ("", set[str]()),
    ],
)
def test_the_words_that_a_text_holds_are_told(text: str, words: set[str]) -> None:
    assert held({"warrant", "year", "month"}, text) == words


def test_no_text_holds_any_of_no_words() -> None:
    assert held(frozenset(), "Caf\u00e9 \u4fdd\u4fee") == set()


@given(WORDS, WORDS)
def test_they_are_the_same_as_if_the_whole_text_were_stemmed(question: list[str], text: list[str]) -> None:
    asked, read = " ".join(question), " ".join(text)
    assert held(set(content_words(asked)), read) == set(content_words(asked)) & set(content_words(read))
