"""Lists of words."""

from modulo.domain.text.word_set import word_set


def test_the_words_between_spaces_each_once() -> None:
    assert word_set("and  or and ? f\u00fcr") == {"and", "or", "?", "f\u00fcr"}
    assert word_set(" ") == frozenset()
