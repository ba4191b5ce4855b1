"""A draft that is checked while it is written gives the answer that it gives as a whole."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from modulo.domain.answers.answer import AnswerDraft
from modulo.domain.answers.citations import CitationCheck, _introduces, check_citations
from modulo.domain.answers.entailment import Evidence, quotations
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.answers.statements import StatementReader
from modulo.domain.retrieval.passage import Passage
from tests.unit.passages import passage

PASSAGES = [
    passage("The Rhine is 1,233 km long. It rises in the Alps.", name="rivers.txt"),
    passage("Green tea is brewed at 80 degrees. Black tea needs boiling water.", name="tea.txt"),
    passage("The office opens at 9:00 and closes at 18:00 on weekdays.", name="office.txt"),
]
PIECES = (
    "The Rhine is 1,233 km long",
    "It rises in the Alps",
    "Green tea is brewed at 80 degrees",
    "Black tea needs boiling water",
    "The office opens at 9:00",
    "Giants dug it in 1742",
    "He said “the Rhine is",
    "“Green tea is brewed at 80 degrees.”",
    "“It rises in the Alps.”",
    "In short:",
    " [1]",
    "[1][2]",
    " [2] and [3]",
    " [1, 2]",
    "[1-3]",
    " [9]",
    " ([1])",
    "[",
    "[1",
    "]",
    "【2】",
    " a",
    " an",
    "d ",
    ".",
    "”",
    "\n\n",
    " ",
    ". ",
    "- ",
    " | ",
    "\r\n",
)
DRAFTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


def whole_check(text: str, passages: Sequence[Passage], max_citations: int) -> tuple[str, dict[int, str]]:
    """The check as its definition says it, which looks at the finished draft: its text, and excerpts by mark."""
    reader = StatementReader()
    statements = [*reader.feed(text), *reader.finish()]
    evidence = {number: Evidence(one) for number, one in enumerate(passages, start=1)}
    held = [
        [mark for mark in one.marks if mark in evidence and evidence[mark].supports(one.text)] for one in statements
    ]
    first = {mark: one.text for one, marks in reversed(list(zip(statements, held, strict=True))) for mark in marks}
    order = list(dict.fromkeys(mark for marks in held for mark in marks))[:max_citations]
    if not order:
        return NOT_FOUND, {}
    parts: list[str] = []
    following = False
    for one, marks in reversed(list(zip(statements, held, strict=True))):
        others = [mark for mark in order if evidence[mark].supports(one.text)]
        quotes = any(quotations(one.text))
        shown = [mark for mark in marks if mark in order] or others[:1] * quotes
        stays = bool(shown) or not quotes if marks else bool(others) and not one.marks
        introduces = not one.marks and following and _introduces(one.text)
        text = f"{one.text} {''.join(f'[{mark}]' for mark in shown)}" if shown and stays else one.text
        parts.insert(0, text + one.tail if stays or introduces else "")
        following = bool(marks) and stays
    return "".join(parts).strip(), {mark: evidence[mark].excerpt(first[mark]).text for mark in order}


def parts_of(text: str, cuts: Sequence[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@given(DRAFTS, st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_a_whole_draft_is_checked_as_the_definition_says(text: str, most: int) -> None:
    answer = check_citations(AnswerDraft(text), PASSAGES, max_citations=most)
    assert (answer.text, {one.mark: one.excerpt for one in answer.cited}) == whole_check(text, PASSAGES, most)


@given(DRAFTS, st.lists(st.integers(0, 1_000), max_size=30), st.integers(1, 3))
@settings(max_examples=500, deadline=None)
def test_however_it_comes_what_is_let_through_is_the_whole_answer(text: str, cuts: list[int], most: int) -> None:
    check = CitationCheck(PASSAGES, max_citations=most)
    let_through = [check.feed(part) for part in parts_of(text, cuts)] + [check.finish()]
    whole = check_citations(AnswerDraft(text), PASSAGES, max_citations=most)
    assert check.answer == whole
    assert "".join(let_through) == (whole.text if whole.found else "")


@given(DRAFTS, st.lists(st.integers(0, 1_000), max_size=30))
@settings(max_examples=500, deadline=None)
def test_statements_are_cut_alike_however_they_come(text: str, cuts: list[int]) -> None:
    whole, parts = StatementReader(), StatementReader()
    expected = [*whole.feed(text), *whole.finish()]
    assert [one for part in parts_of(text, cuts) for one in parts.feed(part)] + parts.finish() == expected


def test_a_sentence_is_let_through_with_the_character_behind_its_mark() -> None:
    check = CitationCheck(PASSAGES, max_citations=5)
    steps = ["The Rhine is 1,233 km long", " [1", "]", ".", " ", "T"]
    assert [check.feed(step) for step in steps] == ["", "", "", "", "The Rhine is 1,233 km long [1].", ""]
    assert [one.mark for one in check.cited] == [1]


def test_what_only_a_passage_supports_that_is_not_cited_yet_waits_for_it() -> None:
    check = CitationCheck(PASSAGES, max_citations=5)
    assert check.feed("Green tea is brewed at 80 degrees. The Rhine is 1,233 km long [1]. ") == ""
    assert check.feed("Black tea needs boiling water [2]. B") == (
        "Green tea is brewed at 80 degrees. The Rhine is 1,233 km long [1]. Black tea needs boiling water [2]."
    )


def test_what_nothing_supports_holds_nothing_up() -> None:
    check = CitationCheck(PASSAGES, max_citations=5)
    assert check.feed("Giants dug it. The Rhine is 1,233 km long [1]. B") == "The Rhine is 1,233 km long [1]."


def test_beyond_the_last_citation_nothing_is_waited_for() -> None:
    check = CitationCheck(PASSAGES, max_citations=1)
    text = "The Rhine is 1,233 km long [1]. Green tea is brewed at 80 degrees. It rises in the Alps [1]. B"
    assert check.feed(text) == "The Rhine is 1,233 km long [1]. It rises in the Alps [1]."
