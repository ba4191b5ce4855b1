"""Places of text: packed and cut as they are, turned back to the page as it is shown, and bounded."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.documents.placement import MAX_PLACES_LENGTH, PageBox, PlacedLine, PlacedText, boxes_of
from modulo.domain.ingestion.chunking import chunk, page_text

WORDS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 90)), min_size=1, max_size=9)


@st.composite
def lines(draw: st.DrawFn) -> list[PlacedLine]:
    found: list[PlacedLine] = []
    end = 0
    for _ in range(draw(st.integers(0, 8))):
        top, steps = draw(st.integers(0, 980)), tuple(number for word in draw(WORDS) for number in word)
        place = PlacedLine(
            end + draw(st.integers(0, 300)), draw(st.integers(0, 3)), top, top + 20, draw(st.integers(0, 200)), steps
        )
        found.append(place)
        end = place.end
    return found


def characters(of: Sequence[PlacedLine]) -> dict[int, tuple[float, float, float, float]]:
    """The word's box of each character."""
    found = {}
    for line in of:
        at, left = line.start, line.left
        for length, width in zip(line.steps[::2], line.steps[1::2], strict=True):
            for offset in range(at, at + length):
                found[offset] = box_of(line.turn, left, line.top, left + width, line.bottom)
            at, left = at + length, left + width
    return found


def box_of(turn: int, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    """The box, turned counterclockwise one quarter after another."""
    for _ in range(turn):
        left, top, right, bottom = top, 1_000 - right, bottom, 1_000 - left
    return tuple(min(max(side, 0), 1_000) / 1_000 for side in (left, top, right, bottom))  # type: ignore[return-value]


def holds(box: PageBox, word: tuple[float, float, float, float]) -> bool:
    return box.x0 <= word[0] and box.y0 <= word[1] and box.x1 >= word[2] and box.y1 >= word[3]


@given(lines(), st.integers(0, 900), st.integers(1, 900), st.integers(0, 300), st.integers(1, 300))
def test_boxes_of_a_span_hold_each_of_its_characters_and_start_and_end_with_them(
    placed: list[PlacedLine], start: int, length: int, first: int, span: int
) -> None:
    """A chunk is cut out of a page, and a span out of the chunk."""
    places = PlacedText(placed).places(start, start + length)
    boxes = boxes_of(places, page=7, start=first, end=first + span)
    known = characters(placed)
    inside = [known[at] for at in range(start + first, min(start + first + span, start + length)) if at in known]
    assert all(any(holds(box, word) for box in boxes) for word in inside)
    assert all(box.page == 7 for box in boxes)
    if not inside:
        assert boxes == ()
    else:
        sides = list(zip(*inside, strict=True))
        assert min(box.x0 for box in boxes) == min(sides[0])
        assert min(box.y0 for box in boxes) == min(sides[1])
        assert max(box.x1 for box in boxes) == max(sides[2])
        assert max(box.y1 for box in boxes) == max(sides[3])


def test_what_is_not_known_has_no_boxes() -> None:
    assert PlacedText([]).places(0, 100) == ""
    assert boxes_of("", page=1, start=0, end=100) == ()
    assert Chunk(0, "a chunk of before", 1, 0, 17).boxes(0, 5) == ()


def test_lines_that_go_back_are_left_out() -> None:
    """The process that reads a file is not trusted."""
    first, second = PlacedLine(10, 0, 5, 9, 0, (5, 50)), PlacedLine(12, 0, 20, 30, 0, (5, 50))
    assert boxes_of(PlacedText([first, second]).places(0, 50), page=1, start=0, end=50) == (
        PageBox(page=1, x0=0, y0=0.005, x1=0.05, y1=0.009),
    )


@pytest.mark.parametrize(("words", "boxes"), [(10, 10), (60, 1), (4_000, 0)])
def test_too_many_places_lose_their_words_and_then_all(words: int, boxes: int) -> None:
    """Lines of `words` words each of one letter: 400 of them, or one line a word."""
    count = 20_000 // words if words < 4_000 else 4_000
    each = words if words < 4_000 else 1
    placed = [
        PlacedLine(2 * each * number, 0, number % 900, number % 900 + 9, 0, (2, 9) * each) for number in range(count)
    ]
    places = PlacedText(placed[: 100 if boxes > 1 else None]).places(0, 10**6)
    assert len(places) <= MAX_PLACES_LENGTH
    first = boxes_of(places, page=1, start=0, end=2)
    if boxes > 1:
        assert first[0].x1 == 0.009
    elif boxes:
        assert first[0].x1 == round(0.009 * each, 3)
    else:
        assert first == ()


def line(start: int, length: int, top: int) -> PlacedLine:
    return PlacedLine(start, 0, top, top + 10, 100, (length, 500))


def test_chunks_bring_the_places_of_their_text_and_of_headings_left_alone() -> None:
    sentences = " ".join(f"Sentence number {number} says something." for number in range(60))
    steps = tuple(number for word in sentences.split(" ") for number in (len(word) + 1, 1))
    title = Block(BlockKind.heading, "  Alone", 1, lines=(line(2, 5, 40),))
    text = Block(BlockKind.text, sentences, lines=(PlacedLine(0, 0, 100, 110, 0, steps),))
    table = Block(BlockKind.table, "A | B\n1 | 2", lines=(line(0, 1, 200), line(4, 1, 200), line(6, 1, 220)))
    pages = [Page(1, (title,)), Page(2, (Block(BlockKind.heading, "Next", 1), text, table)), Page(3, (title,))]
    chunks = list(chunk(pages, Chunking(max_tokens=64, overlap_tokens=16)))
    alone = [one for one in chunks if one.text == "Alone"]
    assert [(one.page, one.boxes(one.start, one.end)) for one in alone] == [
        (page, (PageBox(page=page, x0=0.1, y0=0.04, x1=0.6, y1=0.05),)) for page in (1, 3)
    ]
    told = page_text(pages[1])
    words = [at for at in range(len(told)) if told.startswith("number ", at)]
    prose = [one for one in chunks if one.page == 2 and one.table is None]
    assert len(prose) > 3
    for one in prose:
        for at in (at for at in words if one.start <= at < one.end):
            word = told[:at].count(" ") - told[: told.index("Sentence")].count(" ")
            assert [(box.x0, box.x1) for box in one.boxes(at, at + 6)] == [(word / 1_000, (word + 1) / 1_000)]
    (rows,) = [one for one in chunks if one.table == 0]
    assert [box.y0 for box in rows.boxes(rows.end - 5, rows.end)] == [0.22]
    assert [box.y0 for box in rows.boxes(rows.start, rows.end)] == [0.2, 0.2, 0.22]
