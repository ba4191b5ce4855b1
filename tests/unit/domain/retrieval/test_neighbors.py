"""Neighbours of passages: which are asked for, which join, and how they are read."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from modulo.domain.documents.chunk import Chunk
from modulo.domain.files.file import DocumentInfo, FileRef
from modulo.domain.retrieval.neighbors import LABEL_TOKENS, MAX_WANTED, in_reading_order, joined, wanted
from modulo.domain.retrieval.passage import Hit, LiveDocument, Passage
from modulo.domain.text.tokens import estimate

WORDS = ("red", "green", "blue", "black", "white", "brown", "grey", "pink", "gold")
PAGE = " ".join(f"The {word} door opens to the {word} garden." for word in WORDS)
MANY = 10_000


def ref(file: int = 1, generation: int = 1) -> FileRef:
    return FileRef(UUID(int=7), UUID(int=8), UUID(int=file), generation)


def chunk(number: int, text: str = "", *, page: int = 1, heading: str = "") -> Chunk:
    """The chunk of the page's sentence of that number, or one of its own page."""
    text = text or f"The {WORDS[number]} door opens to the {WORDS[number]} garden."
    start = max(PAGE.find(text), 0)
    return Chunk(number, text, page, start, start + len(text), heading)


def cut(number: int, start: int, end: int) -> Chunk:
    text = PAGE[start:end]
    start += len(text) - len(text.lstrip())
    return Chunk(number, text.strip(), 1, start, start + len(text.strip()))


def passage(one: Chunk, of: FileRef | None = None, score: float = 0.5) -> Passage:
    of = of or ref()
    document = LiveDocument(of.file_id, of.generation, "doors.txt", 9, DocumentInfo(), "")
    return Passage(Hit(of, one, score, "doors.txt", text_score=3.0), document, relevance=score)


def numbers(passages: Sequence[Passage]) -> list[int]:
    return [one.hit.chunk.number for one in passages]


def test_the_chunks_around_each_passage_are_asked_for() -> None:
    passages = [passage(chunk(4)), passage(chunk(5)), passage(chunk(0), ref(2, generation=3))]
    assert wanted(passages, tokens=MANY) == {ref(): {2, 3, 6, 7}, ref(2, generation=3): {1, 2}}
    assert wanted([], tokens=MANY) == wanted(passages, tokens=LABEL_TOKENS - 1) == {}


def test_no_more_are_asked_for_than_the_tokens_may_need() -> None:
    passages = [passage(chunk(4), ref(file)) for file in range(1, 101)]
    assert wanted(passages, tokens=LABEL_TOKENS) == {ref(1): {3, 5}}
    assert sum(map(len, wanted(passages, tokens=MANY).values())) == MAX_WANTED


def test_the_nearest_join_first_and_the_best_passages_before_others() -> None:
    passages = [passage(chunk(4)), passage(chunk(4), ref(2))]
    chunks = {
        one: [chunk(number, f"{WORDS[number]} of {one.file_id.int}", page=number + 2) for number in range(9)]
        for one in (ref(), ref(2))
    }
    cost = LABEL_TOKENS + estimate("white of 1")
    found = joined(passages, chunks, tokens=3 * cost)
    assert [numbers(one.neighbors) for one in found] == [[3, 5], [3]]
    found = joined(passages, chunks, tokens=6 * cost)
    assert [numbers(one.neighbors) for one in found] == [[2, 3, 5, 6], [3, 5]]
    assert [replace(one, neighbors=()) for one in found] == passages


@pytest.mark.parametrize("tokens", [0, 60, 150, 400, MANY])
def test_neighbours_have_no_more_tokens_than_asked_for(tokens: int) -> None:
    [found] = joined([passage(chunk(4))], {ref(): [chunk(n) for n in range(9)]}, tokens=tokens)
    costs = [LABEL_TOKENS + estimate(one.text) for one in found.neighbors]
    assert sum(costs) <= tokens
    assert len(costs) == min(4, tokens // max(costs, default=MANY))


def test_a_neighbour_names_its_own_chunk_and_has_the_score_of_its_passage() -> None:
    [found] = joined([passage(chunk(1), score=0.7)], {ref(): [chunk(2, page=2)]}, tokens=MANY)
    [neighbor] = found.neighbors
    assert neighbor.hit.chunk == chunk(2, page=2)
    assert neighbor.chunk_id == chunk(2).id_in(ref())
    assert (neighbor.score, neighbor.document, neighbor.hit.text_score) == (0.7, found.document, None)


def test_what_passage_and_neighbour_share_is_told_once() -> None:
    before, middle, behind = cut(1, 0, 90), cut(2, 60, 160), cut(3, 130, 230)
    [found] = joined([passage(middle)], {ref(): [before, behind]}, tokens=MANY)
    for one in found.neighbors:
        assert one.text == PAGE[one.hit.chunk.start : one.hit.chunk.end]
    assert [one.text for one in found.neighbors] == [PAGE[0:60].strip(), PAGE[160:230].strip()]
    [alone] = joined([passage(middle)], {ref(): [cut(1, 60, 130)]}, tokens=MANY)
    assert alone.neighbors == ()


def test_chunks_of_another_page_share_nothing() -> None:
    other = replace(chunk(2), number=3, page=2)
    [found] = joined([passage(chunk(2))], {ref(): [replace(other, text=f"{other.text} It is far.")]}, tokens=MANY)
    assert numbers(found.neighbors) == [3]


def test_near_duplicates_do_not_join() -> None:
    text = "The vault opens at noon on every working day, and the guard keeps the only key to it in the tower."
    copy = replace(chunk(3, page=2), text=text.replace("guard", "warden"))
    [found] = joined([passage(chunk(2, text, page=3))], {ref(): [copy, chunk(1)]}, tokens=MANY)
    assert numbers(found.neighbors) == [1]


def test_a_chunk_that_is_a_passage_or_of_another_generation_does_not_join() -> None:
    passages = [passage(chunk(2)), passage(chunk(3))]
    stale = {ref(generation=2): [chunk(1)], ref(): [chunk(4)]}
    assert [numbers(one.neighbors) for one in joined(passages, stale, tokens=MANY)] == [[], [4]]


def test_passages_are_read_with_their_neighbours_in_the_document_s_order() -> None:
    passages = [passage(chunk(5)), passage(chunk(1), ref(2)), passage(chunk(7)), passage(chunk(0))]
    chunks = {ref(): [chunk(6), chunk(8)], ref(2): [chunk(2)]}
    read = in_reading_order(joined(passages, chunks, tokens=MANY))
    assert [(one.hit.ref.file_id.int, one.hit.chunk.number) for one in read] == [
        *((1, number) for number in (5, 6, 7, 8)),
        *((2, number) for number in (1, 2)),
        (1, 0),
    ]
    assert all(one.neighbors == () for one in read)


def test_passages_without_neighbours_are_read_as_they_are() -> None:
    passages = [passage(chunk(5)), passage(chunk(1))]
    assert in_reading_order(passages) == passages


def test_what_two_passages_share_the_better_one_tells() -> None:
    first, second = cut(1, 0, 90), cut(2, 60, 160)
    whole, again = passage(cut(2, 0, 90), ref(2)), passage(cut(3, 30, 60), ref(2))
    passages = joined([passage(second), passage(first), whole, again], {ref(): [chunk(3, page=2)]}, tokens=MANY)
    read = in_reading_order(passages)
    assert [(one.hit.ref.file_id.int, one.hit.chunk.number) for one in read] == [(1, 1), (1, 2), (1, 3), (2, 2)]
    assert read[0].text == PAGE[0:60].strip()
    assert read[1].text == second.text
