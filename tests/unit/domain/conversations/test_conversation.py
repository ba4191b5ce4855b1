"""Titles of conversations."""

import pytest

from modulo.domain.conversations.conversation import title_of


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How  long\nis it?", "How long is it?"),
        ("word " * 40, " ".join(["word"] * 16) + "\u2026"),
        ("\u202eHow\u200b long \u2066 is it?", "How long is it?"),
    ],
)
def test_a_title_is_the_first_words_of_the_question(question: str, title: str) -> None:
    made = title_of(question)
    assert made == title
    assert len(made) <= 81
