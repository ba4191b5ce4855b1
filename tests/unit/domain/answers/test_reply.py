"""A reply that is read while it is written says what it says as a whole."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modulo.domain.answers.prompt import answer_of
from modulo.domain.answers.reply import ReplyReader

PIECES = [
    "<think>",
    "<thinking>",
    "</think>",
    "</thinking>",
    "<",
    "<th",
    "not found",
    "NOT_FOUND",
    "Not",
    " ",
    "\n",
    ".",
]
REPLIES = st.lists(st.sampled_from([*PIECES, "The Rhine [1].", "\ud800", "é", "s", "«"]), max_size=8).map("".join)


def read(parts: list[str]) -> str:
    reader = ReplyReader()
    return "".join([*map(reader.feed, parts), reader.finish()])


@given(REPLIES, st.lists(st.integers(0, 100), max_size=12))
@settings(max_examples=1_000)
@example("NOT_FOUND", [4])
@example("not found in the passages [1].", [9])
@example("<think>hm", [])
@example("<think>a</thi", [])
def test_however_it_comes_the_answer_is_the_whole_reply_s(reply: str, cuts: list[int]) -> None:
    places = sorted({cut % (len(reply) + 1) for cut in cuts})
    parts = [reply[start:end] for start, end in zip([0, *places], [*places, len(reply)], strict=True)]
    assert read(parts).rstrip() == answer_of(reply)


@pytest.mark.parametrize("reply", ["NOT_FOUND", "not found.", " **NOT_FOUND** "])
def test_that_there_is_no_answer_is_never_let_through(reply: str) -> None:
    assert read(list(reply)) == ""


def test_an_answer_is_let_through_with_its_first_word() -> None:
    reader = ReplyReader()
    assert [reader.feed(part) for part in (" ", "<thi", "nk>hm", "</think>\n", "The ", "Rhine ")] == [
        "",
        "",
        "",
        "",
        "The ",
        "Rhine ",
    ]
